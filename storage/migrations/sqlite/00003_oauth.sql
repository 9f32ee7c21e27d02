-- +goose Up
create table clients (
    id text primary key,
    name text not null,
    secret_hash blob,
    public integer not null check (public in (0, 1)),
    auth_method text not null,
    jwks text,
    grant_types text not null,
    scopes text not null,
    roles text not null,
    redirect_uris text not null,
    post_logout_redirect_uris text not null,
    first_party integer not null check (first_party in (0, 1)),
    kind text not null,
    id_token_alg text not null,
    access_token_alg text not null,
    token_format text not null,
    pkce_optional integer not null check (pkce_optional in (0, 1)),
    require_par integer not null check (require_par in (0, 1)),
    dpop_bound integer not null check (dpop_bound in (0, 1)),
    created_at integer not null,
    secret_changed_at integer
) strict;

create table signing_keys (
    id text primary key,
    alg text not null,
    state text not null check (state in ('next', 'active', 'retired')),
    sealed blob not null,
    public_jwk text not null,
    created_at integer not null,
    activates_at integer,
    retired_at integer,
    expires_at integer
) strict;
-- Replicas that start or rotate at once end with one key of each state.
create unique index signing_keys_active_key on signing_keys (alg) where state = 'active';
create unique index signing_keys_next_key on signing_keys (alg) where state = 'next';

-- One row is one authorization: the code that began it and the refresh token it is at.
-- An authorization that was revoked has no row.
create table grants (
    id text primary key,
    client_id text not null references clients (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    session_id text,
    scopes text not null,
    audience text not null,
    acr text not null,
    amr text not null,
    auth_time integer not null,
    redirect_uri text not null,
    nonce text not null,
    code_challenge text not null,
    code_hash blob,
    code_expires_at integer,
    code_redeemed_at integer,
    refresh_hash blob,
    previous_refresh_hash blob,
    refreshed_at integer,
    created_at integer not null,
    expires_at integer not null
) strict;
create index grants_user_id_idx on grants (user_id);
create index grants_client_id_idx on grants (client_id);
create index grants_expires_at_idx on grants (expires_at);

-- Opaque access tokens; those that are JWTs have no row.
create table access_tokens (
    hash blob primary key,
    client_id text not null references clients (id) on delete cascade,
    grant_id text references grants (id) on delete cascade,
    scopes text not null,
    audience text not null,
    created_at integer not null,
    expires_at integer not null
) strict;
create index access_tokens_client_id_idx on access_tokens (client_id);
create index access_tokens_grant_id_idx on access_tokens (grant_id);
create index access_tokens_expires_at_idx on access_tokens (expires_at);

-- Single JWTs that were revoked before they expired.
create table revoked_tokens (
    jti text primary key,
    expires_at integer not null
) strict;
create index revoked_tokens_expires_at_idx on revoked_tokens (expires_at);

create table consents (
    user_id text not null references users (id) on delete cascade,
    client_id text not null references clients (id) on delete cascade,
    scopes text not null,
    created_at integer not null,
    updated_at integer,
    primary key (user_id, client_id)
) strict;
create index consents_client_id_idx on consents (client_id);

-- +goose Down
drop table consents;
drop table revoked_tokens;
drop table access_tokens;
drop table grants;
drop table signing_keys;
drop table clients;
