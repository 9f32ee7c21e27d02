-- +goose Up
-- Security keys of Notify's application, which checks their assertions itself.
create table webauthn_credentials (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    credential_data text not null,
    registration_response text not null,
    created_at integer not null,
    updated_at integer,
    logged_in_at integer
) strict;
create index webauthn_credentials_user_id_idx on webauthn_credentials (user_id, created_at);

-- +goose Down
drop table webauthn_credentials;
