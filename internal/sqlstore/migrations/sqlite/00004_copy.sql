-- +goose Up

-- A copy of another store on which no server has run yet.
alter table store add column copied boolean not null default false;
