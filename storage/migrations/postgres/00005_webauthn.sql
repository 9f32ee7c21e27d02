-- +goose Up
-- Security keys of Notify's application, which checks their assertions itself.
create table webauthn_credentials (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    name text not null,
    credential_data text not null,
    registration_response text not null,
    created_at bigint not null,
    updated_at bigint,
    logged_in_at bigint
);
create index webauthn_credentials_user_id_idx on webauthn_credentials (user_id, created_at);

-- +goose Down
drop table webauthn_credentials;
