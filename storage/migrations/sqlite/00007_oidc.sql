-- +goose Up
-- What a client may register beyond what every request needs: RFC 7591's names,
-- as one document that is read and written whole.
alter table clients add column metadata text not null default '{}';
-- The SHA-256 of the token that manages a client over RFC 7592; null without one.
alter table clients add column registration_token_hash blob;
alter table clients add column updated_at integer;

-- The sub that the client knows the user by, when it is not the user's id.
alter table grants add column subject text not null default '';
-- The claims parameter of the authorization request, checked; '' without one.
alter table grants add column claims text not null default '';
-- The thumbprint of the key that the code, and a public client's refresh token,
-- are bound to (RFC 9449); '' when they are not.
alter table grants add column dpop_jkt text not null default '';
create index grants_session_id_idx on grants (session_id);

alter table access_tokens add column dpop_jkt text not null default '';
-- The act claim of a token that was exchanged (RFC 8693); '' for others.
alter table access_tokens add column actor text not null default '';
-- The sub of an exchanged token of a client on its own; '' for others.
alter table access_tokens add column subject text not null default '';

-- The subs by which the clients of a sector know users (OpenID Connect Core 8.1).
create table pairwise_subjects (
    sector text not null,
    user_id text not null references users (id) on delete cascade,
    subject text not null,
    created_at integer not null,
    primary key (sector, user_id)
) strict;
create unique index pairwise_subjects_subject_key on pairwise_subjects (subject);
create index pairwise_subjects_user_id_idx on pairwise_subjects (user_id);

-- Which clients a browser session has led to: they are told when it ends. No
-- foreign key leads to the session: what a session led to is read in the
-- transaction that has just deleted it.
create table session_clients (
    session_id text not null,
    client_id text not null references clients (id) on delete cascade,
    -- The sid that the client knows: that of the session before, where a new
    -- sign-in of the same user has replaced it.
    sid text not null,
    subject text not null,
    created_at integer not null,
    primary key (session_id, client_id, sid)
) strict;
create index session_clients_client_id_idx on session_clients (client_id);

-- Authorizations of devices (RFC 8628). The user's approval makes the grant of the
-- same id, whose code is the device's. The interval is in seconds.
create table device_authorizations (
    id text primary key,
    device_hash blob not null,
    -- A MAC: a SHA-256 of eight letters would be found by trying them all.
    user_code_mac blob not null,
    client_id text not null references clients (id) on delete cascade,
    scopes text not null,
    audience text not null,
    dpop_jkt text not null,
    state text not null check (state in ('pending', 'approved', 'denied')),
    poll_interval integer not null,
    polled_at integer,
    created_at integer not null,
    expires_at integer not null
) strict;
create unique index device_authorizations_user_code_mac_key on device_authorizations (user_code_mac);
create index device_authorizations_client_id_idx on device_authorizations (client_id);
create index device_authorizations_expires_at_idx on device_authorizations (expires_at);

-- Tokens that let their holder register clients (RFC 7591).
create table initial_access_tokens (
    hash blob primary key,
    note text not null,
    uses_left integer not null check (uses_left >= 0),
    created_at integer not null,
    expires_at integer not null
) strict;
create index initial_access_tokens_expires_at_idx on initial_access_tokens (expires_at);

-- Work that one replica at a time does.
create table leases (
    name text primary key,
    holder text not null,
    until integer not null
) strict;

-- Why a request was refused, for whoever runs the service and has its id.
create table refusals (
    id text primary key,
    request_id text not null,
    endpoint text not null,
    client_id text not null,
    code text not null,
    reason text not null,
    created_at integer not null
) strict;
create index refusals_request_id_idx on refusals (request_id);
create index refusals_created_at_idx on refusals (created_at);
create index traces_request_id_idx on traces (request_id);

-- Services that have to be told something wait in the outbox like people do.
-- SQLite cannot change a check: the table is made anew.
alter table outbox rename to outbox_before;
drop index outbox_due_idx;
drop index outbox_finished_idx;
drop index outbox_expires_idx;
create table outbox (
    id text primary key,
    channel text not null check (channel in ('email', 'sms', 'logout')),
    template text not null,
    payload blob,
    state text not null check (state in ('queued', 'sent', 'failed', 'expired')),
    reason text,
    taken integer not null default 0,
    attempts integer not null default 0,
    -- When it may next be claimed: the end of the lease while a worker holds it.
    due_at integer not null,
    lease text,
    created_at integer not null,
    expires_at integer,
    finished_at integer,
    client_id text not null default '',
    -- What its sender's other side told of a message after it was sent.
    delivery text constraint outbox_delivery_check check (delivery in ('delivered', 'bounced')),
    delivery_reason text,
    delivery_at integer,
    constraint outbox_payload_check check ((state = 'queued') = (payload is not null))
) strict;
insert into outbox (id, channel, template, payload, state, reason, taken, attempts, due_at, lease, created_at, expires_at, finished_at)
    select id, channel, template, payload, state, reason, taken, attempts, due_at, lease, created_at, expires_at, finished_at
    from outbox_before;
drop table outbox_before;
create index outbox_due_idx on outbox (channel, due_at) where state = 'queued';
create index outbox_finished_idx on outbox (finished_at) where state <> 'queued';
create index outbox_expires_idx on outbox (expires_at) where state = 'queued';
create index outbox_client_id_idx on outbox (client_id, created_at) where client_id <> '';

-- +goose Down
delete from outbox where channel = 'logout';
alter table outbox drop column delivery_at;
alter table outbox drop column delivery_reason;
alter table outbox drop column delivery;
drop index outbox_client_id_idx;
alter table outbox drop column client_id;
drop index traces_request_id_idx;
drop table refusals;
drop table leases;
drop table initial_access_tokens;
drop table device_authorizations;
drop table session_clients;
drop table pairwise_subjects;
alter table access_tokens drop column subject;
alter table access_tokens drop column actor;
alter table access_tokens drop column dpop_jkt;
drop index grants_session_id_idx;
alter table grants drop column dpop_jkt;
alter table grants drop column claims;
alter table grants drop column subject;
alter table clients drop column updated_at;
alter table clients drop column registration_token_hash;
alter table clients drop column metadata;
