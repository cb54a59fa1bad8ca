-- +goose Up

-- How many accounts in each run of 32, 1024, 32768 and 1048576 ids have authorised a
-- platform, under the negative of its id, so that a page of them is found without counting.
insert into bucket (account, type, level, bucket, live)
    select -component, 'authorizer', level, account >> (5 * level), count(*)
    from component_authorization, (select 1 as level union all select 2 union all select 3 union all select 4) levels
    group by component, level, account >> (5 * level);
