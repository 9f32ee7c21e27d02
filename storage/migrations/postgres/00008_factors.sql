-- +goose Up
-- Authenticator apps. The secret is sealed; last_step is the time step of the last
-- code that was accepted, which only ever grows.
create table totp_secrets (
    user_id uuid primary key references users (id) on delete cascade,
    sealed bytea not null,
    last_step bigint not null,
    confirmed_at bigint,
    created_at bigint not null
);

create table recovery_codes (
    hash bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    used_at bigint,
    created_at bigint not null
);
create index recovery_codes_user_id_idx on recovery_codes (user_id);

-- Passkeys and security keys that are used with our own pages. The credential is
-- go-webauthn's record as JSON; sign_count is apart from it to be compared and set.
create table passkeys (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    credential_id bytea not null,
    credential text not null,
    sign_count bigint not null,
    name text not null,
    -- With user verification it is enough on its own; without, it follows a password.
    passwordless boolean not null,
    created_at bigint not null,
    used_at bigint
);
create unique index passkeys_credential_id_key on passkeys (credential_id);
create index passkeys_user_id_idx on passkeys (user_id, created_at);

-- Links in messages, each good for one purpose and once.
create table links (
    hash bytea primary key,
    purpose text not null,
    user_id uuid references users (id) on delete cascade,
    sealed bytea not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index links_user_id_idx on links (user_id);
create index links_expires_at_idx on links (expires_at);

-- +goose Down
drop table links;
drop table passkeys;
drop table recovery_codes;
drop table totp_secrets;
