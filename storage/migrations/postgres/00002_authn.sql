-- +goose Up
-- The part of failed_login_count that wrong codes make up: a right password
-- alone must not forgive it.
alter table users add column failed_code_count bigint not null default 0;

create table passwords (
    user_id uuid primary key references users (id) on delete cascade,
    hash text not null,
    -- The hash came from elsewhere and has not been replaced by one of ours yet.
    imported boolean not null,
    changed_at bigint not null
);
create index passwords_imported_idx on passwords (imported) where imported;

create table sessions (
    id uuid primary key,
    token_hash bytea not null,
    user_id uuid not null references users (id) on delete cascade,
    amr text not null,
    acr text not null,
    auth_time bigint not null,
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null,
    network text not null,
    user_agent text not null
);
create unique index sessions_token_hash_key on sessions (token_hash);
create index sessions_user_id_idx on sessions (user_id);
create index sessions_expires_at_idx on sessions (expires_at);

-- Sign-ins that have led somewhere. Redis may be rolled back to a moment at
-- which their codes were still good; this table is not.
create table used_sign_ins (
    id text primary key,
    expires_at bigint not null
);
create index used_sign_ins_expires_at_idx on used_sign_ins (expires_at);

create table traces (
    id uuid primary key,
    created_at bigint not null,
    request_id text not null,
    front text not null,
    factor text not null,
    caller text not null,
    user_id uuid,
    verdict text not null,
    steps text not null
);
create index traces_created_at_idx on traces (created_at, id);
create index traces_user_id_idx on traces (user_id, created_at);

-- +goose Down
drop table traces;
drop table used_sign_ins;
drop table sessions;
drop table passwords;
alter table users drop column failed_code_count;
