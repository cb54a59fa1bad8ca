-- +goose Up

-- Names compare by their bytes, whatever the database's language is.

-- One row: who this store is, and the key of its signatures.
create table store (
    one      integer primary key check (one = 1),
    id       text    not null,
    root_key bytea   not null
);

-- An id is never given twice: rows of a removed account wait for their deletion.
create table account (
    id       bigint generated always as identity primary key,
    appid    text collate "C" not null unique,
    uin      bigint not null unique,
    salt     bytea  not null,
    hash     bytea  not null,
    created  bigint not null,
    settings text   not null,
    stable   text   not null default '{}'
);

create table access_grant (
    hash      bytea  primary key,
    account   bigint not null, -- 0 in a component's own
    component bigint not null default 0,
    kind      text collate "C" not null,
    expires   bigint not null,
    ends      bigint not null
);
create index access_grant_account on access_grant (account, kind);
create index access_grant_ends on access_grant (ends);
create index access_grant_component on access_grant (component, account) where component > 0;

create table material (
    id              bigint generated always as identity primary key,
    account         bigint  not null,
    media_id        text collate "C" not null,
    type            text collate "C" not null,
    number          bigint,
    name            text    not null,
    introduction    text    not null,
    key             text collate "C" not null,
    blob            text collate "C" not null,
    size            bigint  not null,
    format          text    not null,
    width           integer not null,
    height          integer not null,
    articles_format integer not null,
    created         bigint  not null,
    updated         bigint  not null,
    expires         bigint  not null,
    version         bigint  not null,
    articles        bytea
);
create unique index material_media_id on material (account, media_id);
create unique index material_number on material (account, type, number) where number is not null;
create unique index material_key on material (key) where key <> '' and type <> 'news';
create unique index material_news_key on material (account, key) where key <> '' and type = 'news';
create index material_blob on material (blob) where blob <> '';
create index material_expires on material (expires) where expires > 0;

-- The numbers of an account's list: the next one, and how many are alive. An upload
-- holds the row of its account and type, so uploads of others never wait for it.
create table counter (
    account bigint not null,
    type    text collate "C" not null,
    next    bigint not null,
    live    bigint not null,
    primary key (account, type)
);

-- How many are alive in each run of 32, 1024, 32768 and 1048576 numbers (levels 1 to 4).
create table bucket (
    account bigint  not null,
    type    text collate "C" not null,
    level   integer not null,
    bucket  bigint  not null,
    live    bigint  not null,
    primary key (account, type, level, bucket)
);

-- How many calls an account made of an endpoint on a day (in UTC+8, since 1970). Only
-- where there is a quota.
create table calls (
    account  bigint not null,
    endpoint text collate "C" not null,
    day      bigint not null,
    used     bigint not null,
    primary key (account, endpoint, day)
);
create index calls_day on calls (day);

-- Environments of cloud calls, and the accounts that each may call for beside its owner.
create table cloud_env (
    id         text collate "C" primary key,
    secret_id  text collate "C" not null unique,
    secret_key text   not null,
    ticket     text   not null,
    owner      bigint not null,
    methods    text   not null,
    created    bigint not null
);
create index cloud_env_owner on cloud_env (owner);

create table cloud_allow (
    env     text collate "C" not null,
    account bigint not null,
    primary key (env, account)
);
create index cloud_allow_account on cloud_allow (account);

-- Third-party platforms. authorized is how many authorisations one has: no page counts rows.
create table component (
    id          bigint generated always as identity primary key,
    appid       text collate "C" not null unique,
    salt        bytea  not null,
    hash        bytea  not null,
    created     bigint not null,
    settings    text   not null,
    ticket      text   not null,
    ticket_made bigint not null,
    next_ticket bigint not null,
    authorized  bigint not null default 0,
    push_from   bigint not null default 0 -- Unix seconds before which no message of the platform is taken
);
create index component_next_ticket on component (next_ticket) where next_ticket > 0;

create table component_authorization (
    component bigint not null,
    account   bigint not null,
    sets      text   not null, -- numbers with commas
    refresh   text   not null,
    created   bigint not null,
    updated   bigint not null,
    primary key (component, account)
);
create index component_authorization_account on component_authorization (account);

create table component_code (
    hash      bytea  primary key,
    component bigint not null,
    kind      text collate "C" not null,
    account   bigint not null,
    expires   bigint not null
);
create index component_code_account on component_code (component, account);
create index component_code_expires on component_code (expires);

-- What is done has no due time any more.
create table component_push (
    id        bigint generated always as identity primary key,
    component bigint  not null,
    account   bigint  not null default 0, -- that an event is about; 0 in tickets
    info_type text collate "C" not null,
    message   bytea   not null,
    created   bigint  not null,
    due       bigint,
    tries     bigint  not null default 0,
    outcome   text    not null default '',
    delivered boolean not null default false
);
create index component_push_component on component_push (component, id);
create index component_push_due on component_push (due) where due is not null;
create index component_push_waiting on component_push (component, info_type) where due is not null;
create index component_push_account on component_push (component, account, id) where due is not null;
create index component_push_done on component_push (created) where due is null;
