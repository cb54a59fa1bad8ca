-- +goose Up

-- Names the one copy that may change a store that a copy fills.
alter table store add column pass text not null default '';
