-- +goose Up
-- Authenticator apps. The secret is sealed; last_step is the time step of the last
-- code that was accepted, which only ever grows.
create table totp_secrets (
    user_id text primary key references users (id) on delete cascade,
    sealed blob not null,
    last_step integer not null,
    confirmed_at integer,
    created_at integer not null
) strict;

create table recovery_codes (
    hash blob primary key,
    user_id text not null references users (id) on delete cascade,
    used_at integer,
    created_at integer not null
) strict;
create index recovery_codes_user_id_idx on recovery_codes (user_id);

-- Passkeys and security keys that are used with our own pages. The credential is
-- go-webauthn's record as JSON; sign_count is apart from it to be compared and set.
create table passkeys (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    credential_id blob not null,
    credential text not null,
    sign_count integer not null,
    name text not null,
    -- With user verification it is enough on its own; without, it follows a password.
    passwordless integer not null check (passwordless in (0, 1)),
    created_at integer not null,
    used_at integer
) strict;
create unique index passkeys_credential_id_key on passkeys (credential_id);
create index passkeys_user_id_idx on passkeys (user_id, created_at);

-- Links in messages, each good for one purpose and once.
create table links (
    hash blob primary key,
    purpose text not null,
    user_id text references users (id) on delete cascade,
    sealed blob not null,
    created_at integer not null,
    expires_at integer not null,
    used_at integer
) strict;
create index links_user_id_idx on links (user_id);
create index links_expires_at_idx on links (expires_at);

-- +goose Down
drop table links;
drop table passkeys;
drop table recovery_codes;
drop table totp_secrets;
