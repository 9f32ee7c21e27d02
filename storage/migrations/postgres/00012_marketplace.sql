-- +goose Up
-- The marketplace (seed 003). A company is a client with a kind; its users are
-- profiles that a partner keeps, not users of the directory.

-- Keysets that encrypt single values, each sealed with the root key. A change is
-- accepted for the version it was made of.
create table keysets (
    name text primary key,
    sealed bytea not null,
    version bigint not null,
    rotated_at bigint not null
);

create table marketplace_users (
    id uuid primary key,
    partner_id text not null references clients (id) on delete cascade,
    email text not null,
    email_normalised text not null,
    anon_user_id text,
    profile text not null,
    meta text not null,
    -- Encrypted, each for its column and row, all with the key of key_id.
    national_insurance_number bytea,
    passport_number bytea,
    dob bytea,
    partner_dob bytea,
    key_id bigint,
    visits bigint not null,
    last_visited bigint,
    -- Counts the changes: what was read of one version is written to that one.
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index marketplace_users_email_normalised_key on marketplace_users (email_normalised, partner_id);
create index marketplace_users_newest_idx on marketplace_users (partner_id, created_at desc, id);
create index marketplace_users_key_id_idx on marketplace_users (key_id, id) where key_id is not null;

-- Which provider may see whom. The row outlives the consent, so that the
-- pseudonym of the pair never changes.
create table marketplace_consents (
    user_id uuid not null references marketplace_users (id) on delete cascade,
    provider_id text not null references clients (id) on delete cascade,
    cp_user_id uuid not null,
    -- When the user was created: lists are in that order.
    user_created_at bigint not null,
    -- The account of who gave it; null where the partner recorded it.
    given_by uuid references users (id) on delete set null,
    given_at bigint not null,
    expires_at bigint,
    ended_at bigint,
    primary key (user_id, provider_id)
);
create unique index marketplace_consents_cp_user_id_key on marketplace_consents (cp_user_id);
create index marketplace_consents_newest_idx on marketplace_consents (provider_id, user_created_at desc, user_id, expires_at) where ended_at is null;
create index marketplace_consents_expires_at_idx on marketplace_consents (expires_at, provider_id) where ended_at is null and expires_at is not null;
create index marketplace_consents_given_by_idx on marketplace_consents (given_by) where given_by is not null;

-- How many users a partner has, and how many consents, expired ones too, a
-- provider has that nobody ended: counting them for each page would take longer than the page.
create table marketplace_totals (
    company_id text primary key references clients (id) on delete cascade,
    total bigint not null
);

create table broadband_entries (
    id uuid primary key,
    user_id uuid not null,
    provider_id text not null,
    offer text not null,
    created_at bigint not null,
    updated_at bigint not null,
    foreign key (user_id, provider_id) references marketplace_consents (user_id, provider_id) on delete cascade
);
create unique index broadband_entries_user_id_key on broadband_entries (user_id, provider_id);

-- +goose Down
drop table broadband_entries;
drop table marketplace_totals;
drop table marketplace_consents;
drop table marketplace_users;
drop table keysets;
