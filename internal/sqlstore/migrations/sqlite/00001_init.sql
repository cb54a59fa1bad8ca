-- +goose Up

-- One row: who this store is, and the key of its signatures.
create table store (
    one      integer primary key check (one = 1),
    id       text    not null,
    root_key blob    not null
);

-- An id is never given twice: rows of a removed account wait for their deletion.
create table account (
    id       integer primary key autoincrement,
    appid    text    not null unique,
    uin      integer not null unique,
    salt     blob    not null,
    hash     blob    not null,
    created  integer not null,
    settings text    not null,
    stable   text    not null default '{}'
);

create table access_grant (
    hash      blob    primary key,
    account   integer not null, -- 0 in a component's own
    component integer not null default 0,
    kind      text    not null,
    expires   integer not null,
    ends      integer not null
) without rowid;
create index access_grant_account on access_grant (account, kind);
create index access_grant_ends on access_grant (ends);
create index access_grant_component on access_grant (component, account) where component > 0;

-- Rowids rise with time, so that a page of a list lies together on disk.
create table material (
    id              integer primary key,
    account         integer not null,
    media_id        text    not null,
    type            text    not null,
    number          integer,
    name            text    not null,
    introduction    text    not null,
    key             text    not null,
    blob            text    not null,
    size            integer not null,
    format          text    not null,
    width           integer not null,
    height          integer not null,
    articles_format integer not null,
    created         integer not null,
    updated         integer not null,
    expires         integer not null,
    version         integer not null,
    articles        blob
);
create unique index material_media_id on material (account, media_id);
create unique index material_number on material (account, type, number) where number is not null;
create unique index material_key on material (key) where key <> '' and type <> 'news';
create unique index material_news_key on material (account, key) where key <> '' and type = 'news';
create index material_blob on material (blob) where blob <> '';
create index material_expires on material (expires) where expires > 0;

-- The numbers of an account's list: the next one, and how many are alive.
create table counter (
    account integer not null,
    type    text    not null,
    next    integer not null,
    live    integer not null,
    primary key (account, type)
) without rowid;

-- How many are alive in each run of 32, 1024, 32768 and 1048576 numbers (levels 1 to 4).
create table bucket (
    account integer not null,
    type    text    not null,
    level   integer not null,
    bucket  integer not null,
    live    integer not null,
    primary key (account, type, level, bucket)
) without rowid;

-- How many calls an account made of an endpoint on a day (in UTC+8, since 1970). Only
-- where there is a quota.
create table calls (
    account  integer not null,
    endpoint text    not null,
    day      integer not null,
    used     integer not null,
    primary key (account, endpoint, day)
) without rowid;
create index calls_day on calls (day);

-- Environments of cloud calls, and the accounts that each may call for beside its owner.
create table cloud_env (
    id         text    primary key,
    secret_id  text    not null unique,
    secret_key text    not null,
    ticket     text    not null,
    owner      integer not null,
    methods    text    not null,
    created    integer not null
) without rowid;
create index cloud_env_owner on cloud_env (owner);

create table cloud_allow (
    env     text    not null,
    account integer not null,
    primary key (env, account)
) without rowid;
create index cloud_allow_account on cloud_allow (account);

-- Third-party platforms. authorized is how many authorisations one has: no page counts rows.
create table component (
    id          integer primary key autoincrement,
    appid       text    not null unique,
    salt        blob    not null,
    hash        blob    not null,
    created     integer not null,
    settings    text    not null,
    ticket      text    not null,
    ticket_made integer not null,
    next_ticket integer not null,
    authorized  integer not null default 0
);
create index component_next_ticket on component (next_ticket) where next_ticket > 0;

create table component_authorization (
    component integer not null,
    account   integer not null,
    sets      text    not null, -- numbers with commas
    refresh   text    not null,
    created   integer not null,
    updated   integer not null,
    primary key (component, account)
) without rowid;
create index component_authorization_account on component_authorization (account);

create table component_code (
    hash      blob    primary key,
    component integer not null,
    kind      text    not null,
    account   integer not null,
    expires   integer not null
) without rowid;
create index component_code_component on component_code (component);
create index component_code_expires on component_code (expires);

-- What is done has no due time any more.
create table component_push (
    id        integer primary key autoincrement,
    component integer not null,
    info_type text    not null,
    message   blob    not null,
    created   integer not null,
    due       integer,
    tries     integer not null default 0,
    outcome   text    not null default '',
    delivered integer not null default 0
);
create index component_push_component on component_push (component, id);
create index component_push_due on component_push (due) where due is not null;
create index component_push_waiting on component_push (component, info_type) where due is not null;
create index component_push_done on component_push (created) where due is null;
