-- +goose Up

-- Authorization codes go with their authorisation.
create index component_code_account on component_code (component, account);

-- The account that an event is about, 0 in tickets.
alter table component_push add column account integer not null default 0;
create index component_push_account on component_push (component, account) where due is not null;

-- Unix seconds before which no message of the platform is taken.
alter table component add column push_from integer not null default 0;
