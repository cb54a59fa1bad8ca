-- +goose Up

-- One row: whose turn it is to sweep.
create table sweep (
    one     integer primary key check (one = 1),
    turn    bigint not null, -- rises with each that is taken
    due     bigint not null, -- Unix seconds before which nobody else takes it
    reached text   not null, -- how far the sweep under way has come
    took    bigint not null  -- seconds that it has taken so far
);
insert into sweep values (1, 0, 0, '', 0);
