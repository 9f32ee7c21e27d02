-- +goose Up
-- Tokens are in the order in which they end, and in no order of their hashes: a new
-- one changes the last page of each index, not one somewhere among all of them.
-- Those made before do not say when they end and could not be found: they have ended.
-- A client's own token has no grant, and needs no place in the index of grants.
drop table access_tokens;
create table access_tokens (
    hash blob not null,
    client_id text not null references clients (id) on delete cascade,
    grant_id text references grants (id) on delete cascade,
    scopes text not null,
    audience text not null,
    created_at integer not null,
    expires_at integer not null,
    dpop_jkt text not null default '',
    actor text not null default '',
    subject text not null default ''
) strict;
create index access_tokens_client_id_idx on access_tokens (client_id);
create index access_tokens_grant_id_idx on access_tokens (grant_id) where grant_id is not null;
create index access_tokens_expires_at_idx on access_tokens (expires_at);

-- +goose Down
drop table access_tokens;
create table access_tokens (
    hash blob primary key,
    client_id text not null references clients (id) on delete cascade,
    grant_id text references grants (id) on delete cascade,
    scopes text not null,
    audience text not null,
    created_at integer not null,
    expires_at integer not null,
    dpop_jkt text not null default '',
    actor text not null default '',
    subject text not null default ''
) strict;
create index access_tokens_client_id_idx on access_tokens (client_id);
create index access_tokens_grant_id_idx on access_tokens (grant_id);
create index access_tokens_expires_at_idx on access_tokens (expires_at);
