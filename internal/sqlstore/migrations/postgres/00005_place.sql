-- +goose Up

-- The name of the place of the blobs, which a copy does not share; whether there is one;
-- and whether a copy has not come to its end.
alter table store add column place text not null default '';
update store set place = id;
alter table store add column claimed boolean not null default false;
alter table store add column unfinished boolean not null default false;
