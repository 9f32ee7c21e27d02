-- +goose Up
create table clients (
    id text primary key,
    name text not null,
    secret_hash bytea,
    public boolean not null,
    auth_method text not null,
    jwks text,
    grant_types text not null,
    scopes text not null,
    roles text not null,
    redirect_uris text not null,
    post_logout_redirect_uris text not null,
    first_party boolean not null,
    kind text not null,
    id_token_alg text not null,
    access_token_alg text not null,
    token_format text not null,
    pkce_optional boolean not null,
    require_par boolean not null,
    dpop_bound boolean not null,
    created_at bigint not null,
    secret_changed_at bigint
);

create table signing_keys (
    id text primary key,
    alg text not null,
    state text not null check (state in ('next', 'active', 'retired')),
    sealed bytea not null,
    public_jwk text not null,
    created_at bigint not null,
    activates_at bigint,
    retired_at bigint,
    expires_at bigint
);
-- Replicas that start or rotate at once end with one key of each state.
create unique index signing_keys_active_key on signing_keys (alg) where state = 'active';
create unique index signing_keys_next_key on signing_keys (alg) where state = 'next';

-- One row is one authorization: the code that began it and the refresh token it is at.
-- An authorization that was revoked has no row.
create table grants (
    id uuid primary key,
    client_id text not null references clients (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    session_id uuid,
    scopes text not null,
    audience text not null,
    acr text not null,
    amr text not null,
    auth_time bigint not null,
    redirect_uri text not null,
    nonce text not null,
    code_challenge text not null,
    code_hash bytea,
    code_expires_at bigint,
    code_redeemed_at bigint,
    refresh_hash bytea,
    previous_refresh_hash bytea,
    refreshed_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index grants_user_id_idx on grants (user_id);
create index grants_client_id_idx on grants (client_id);
create index grants_expires_at_idx on grants (expires_at);

-- Opaque access tokens; those that are JWTs have no row.
create table access_tokens (
    hash bytea primary key,
    client_id text not null references clients (id) on delete cascade,
    grant_id uuid references grants (id) on delete cascade,
    scopes text not null,
    audience text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index access_tokens_client_id_idx on access_tokens (client_id);
create index access_tokens_grant_id_idx on access_tokens (grant_id);
create index access_tokens_expires_at_idx on access_tokens (expires_at);

-- Single JWTs that were revoked before they expired.
create table revoked_tokens (
    jti text primary key,
    expires_at bigint not null
);
create index revoked_tokens_expires_at_idx on revoked_tokens (expires_at);

create table consents (
    user_id uuid not null references users (id) on delete cascade,
    client_id text not null references clients (id) on delete cascade,
    scopes text not null,
    created_at bigint not null,
    updated_at bigint,
    primary key (user_id, client_id)
);
create index consents_client_id_idx on consents (client_id);

-- +goose Down
drop table consents;
drop table revoked_tokens;
drop table access_tokens;
drop table grants;
drop table signing_keys;
drop table clients;
