-- +goose Up
create table users (
    id text primary key,
    number integer,
    username text,
    username_normalised text,
    name text not null,
    first_name text not null,
    surname text not null,
    email_address text,
    email_normalised text,
    mobile_number text,
    mobile_e164 text,
    auth_type text not null check (auth_type in ('sms_auth', 'email_auth', 'webauthn_auth')),
    state text not null check (state in ('pending', 'active', 'inactive')),
    platform_admin integer not null check (platform_admin in (0, 1)),
    roles text not null,
    failed_login_count integer not null default 0,
    locked_at integer,
    current_session_id text,
    logged_in_at integer,
    password_changed_at integer,
    email_access_validated_at integer,
    take_part_in_research integer not null check (take_part_in_research in (0, 1)),
    receives_new_features_email integer not null check (receives_new_features_email in (0, 1)),
    created_at integer not null,
    updated_at integer,
    constraint users_mobile_number_check check (auth_type <> 'sms_auth' or mobile_number is not null)
) strict;
create unique index users_number_key on users (number);
create unique index users_username_normalised_key on users (username_normalised);
-- Accounts that sign in with their address alone own it; those with a username may share one.
create unique index users_email_normalised_key on users (email_normalised) where username_normalised is null;
create index users_email_normalised_idx on users (email_normalised);
create index users_mobile_e164_idx on users (mobile_e164);
create index users_created_at_idx on users (created_at, id);

create table counters (
    name text primary key,
    value integer not null
) strict;
insert into counters (name, value) values ('user_number', 1000000);

create table email_brandings (
    id text primary key,
    name text not null,
    colour text,
    logo text,
    text text,
    alt_text text,
    brand_type text not null,
    created_by text references users (id),
    created_at integer not null,
    updated_at integer
) strict;
create unique index email_brandings_name_key on email_brandings (name);
insert into email_brandings (id, name, alt_text, brand_type, created_at)
values ('a7dc4e56-660b-4db7-8cff-12c37b12b5ea', 'NHS', 'NHS', 'org', 1483228800000000);

create table letter_brandings (
    id text primary key,
    name text not null,
    filename text not null,
    created_by text references users (id),
    created_at integer not null,
    updated_at integer
) strict;
create unique index letter_brandings_name_key on letter_brandings (name);
create unique index letter_brandings_filename_key on letter_brandings (filename);
insert into letter_brandings (id, name, filename, created_at)
values ('2cd354bb-6b85-eda3-c0ad-6b613150459f', 'NHS', 'nhs', 1483228800000000);

create table organisations (
    id text primary key,
    name text not null,
    name_folded text not null,
    active integer not null check (active in (0, 1)),
    crown integer check (crown in (0, 1)),
    organisation_type text not null,
    email_branding_id text references email_brandings (id),
    letter_branding_id text references letter_brandings (id),
    agreement_signed integer check (agreement_signed in (0, 1)),
    agreement_signed_at integer,
    agreement_signed_by_id text references users (id),
    agreement_signed_on_behalf_of_name text,
    agreement_signed_on_behalf_of_email_address text,
    agreement_signed_version real,
    request_to_go_live_notes text,
    notes text,
    purchase_order_number text,
    billing_contact_names text,
    billing_contact_email_addresses text,
    billing_reference text,
    can_approve_own_go_live_requests integer not null check (can_approve_own_go_live_requests in (0, 1)),
    permissions text not null,
    created_at integer not null,
    updated_at integer
) strict;
create unique index organisations_name_key on organisations (name);
create index organisations_name_folded_idx on organisations (name_folded, id);

create table organisation_domains (
    domain text primary key,
    organisation_id text not null references organisations (id) on delete cascade
) strict;
create index organisation_domains_organisation_id_idx on organisation_domains (organisation_id);

create table organisation_email_branding_pool (
    organisation_id text not null references organisations (id) on delete cascade,
    email_branding_id text not null references email_brandings (id),
    primary key (organisation_id, email_branding_id)
) strict;
create table organisation_letter_branding_pool (
    organisation_id text not null references organisations (id) on delete cascade,
    letter_branding_id text not null references letter_brandings (id),
    primary key (organisation_id, letter_branding_id)
) strict;

create table organisation_members (
    organisation_id text not null references organisations (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    permissions text not null,
    created_at integer not null,
    primary key (organisation_id, user_id)
) strict;
create index organisation_members_user_id_idx on organisation_members (user_id);

create table services (
    id text primary key,
    name text not null,
    name_folded text not null,
    active integer not null check (active in (0, 1)),
    restricted integer not null check (restricted in (0, 1)),
    organisation_id text references organisations (id),
    organisation_type text,
    crown integer check (crown in (0, 1)),
    permissions text not null,
    email_message_limit integer not null,
    sms_message_limit integer not null,
    letter_message_limit integer not null,
    email_branding_id text references email_brandings (id),
    letter_branding_id text references letter_brandings (id),
    -- The serialised keys that no rule reads: notes, contacts, volumes, sender names.
    settings text not null,
    has_active_go_live_request integer not null default 0 check (has_active_go_live_request in (0, 1)),
    go_live_user_id text references users (id),
    go_live_at integer,
    created_by_id text references users (id),
    created_at integer not null,
    updated_at integer
) strict;
create unique index services_name_key on services (name);
create index services_name_folded_idx on services (name_folded, id);
create index services_created_at_idx on services (created_at, id);
create index services_organisation_id_idx on services (organisation_id);

create table service_members (
    service_id text not null references services (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    permissions text not null,
    created_at integer not null,
    primary key (service_id, user_id)
) strict;
create index service_members_user_id_idx on service_members (user_id);

create table template_folders (
    id text primary key,
    service_id text not null references services (id) on delete cascade,
    parent_id text references template_folders (id),
    name text not null,
    created_at integer not null
) strict;
create index template_folders_service_id_idx on template_folders (service_id);

create table template_folder_members (
    folder_id text not null references template_folders (id) on delete cascade,
    service_id text not null,
    user_id text not null,
    primary key (folder_id, user_id),
    foreign key (service_id, user_id) references service_members (service_id, user_id) on delete cascade
) strict;
create index template_folder_members_member_idx on template_folder_members (service_id, user_id);

create table service_invitations (
    id text primary key,
    service_id text not null references services (id) on delete cascade,
    email_address text not null,
    email_normalised text not null,
    from_user_id text not null references users (id),
    status text not null check (status in ('pending', 'accepted', 'cancelled')),
    permissions text not null,
    folder_permissions text not null,
    auth_type text not null,
    created_at integer not null
) strict;
create index service_invitations_service_id_idx on service_invitations (service_id);
create index service_invitations_created_at_idx on service_invitations (created_at);

create table organisation_invitations (
    id text primary key,
    organisation_id text not null references organisations (id) on delete cascade,
    email_address text not null,
    email_normalised text not null,
    invited_by_id text not null references users (id),
    status text not null check (status in ('pending', 'accepted', 'cancelled')),
    permissions text not null,
    created_at integer not null
) strict;
create index organisation_invitations_organisation_id_idx on organisation_invitations (organisation_id);
create index organisation_invitations_created_at_idx on organisation_invitations (created_at);

create table service_join_requests (
    id text primary key,
    service_id text not null references services (id) on delete cascade,
    requester_id text not null references users (id),
    reason text not null,
    status text not null check (status in ('pending', 'approved', 'rejected', 'cancelled')),
    status_changed_at integer,
    status_changed_by_id text references users (id),
    created_at integer not null
) strict;
create index service_join_requests_service_id_idx on service_join_requests (service_id, requester_id);

create table service_join_request_contacts (
    join_request_id text not null references service_join_requests (id) on delete cascade,
    user_id text not null references users (id),
    primary key (join_request_id, user_id)
) strict;

create table service_usage (
    service_id text not null references services (id) on delete cascade,
    day text not null,
    channel text not null check (channel in ('email', 'sms', 'letter')),
    rate real not null,
    notifications_sent integer not null,
    billable_units integer not null,
    updated_at integer not null,
    primary key (service_id, day, channel, rate)
) strict;

create table service_allowances (
    service_id text not null references services (id) on delete cascade,
    financial_year integer not null,
    free_sms_fragments integer not null,
    updated_at integer not null,
    primary key (service_id, financial_year)
) strict;

create table events (
    id text primary key,
    event_type text not null,
    actor_kind text not null,
    actor_id text not null,
    subject text not null,
    data text not null,
    created_at integer not null
) strict;
create index events_created_at_idx on events (created_at, id);
create index events_subject_idx on events (subject, created_at, id);
create index events_event_type_idx on events (event_type, created_at, id);
create index events_actor_id_idx on events (actor_id, created_at, id);

-- +goose Down
drop table events;
drop table service_allowances;
drop table service_usage;
drop table service_join_request_contacts;
drop table service_join_requests;
drop table organisation_invitations;
drop table service_invitations;
drop table template_folder_members;
drop table template_folders;
drop table service_members;
drop table services;
drop table organisation_members;
drop table organisation_letter_branding_pool;
drop table organisation_email_branding_pool;
drop table organisation_domains;
drop table organisations;
drop table letter_brandings;
drop table email_brandings;
drop table counters;
drop table users;
