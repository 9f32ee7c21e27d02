-- +goose Up
-- A message waits here until it is sent. While it is queued its payload is
-- sealed; afterwards it is gone, and only what happened to it remains.
create table outbox (
    id text primary key,
    channel text not null check (channel in ('email', 'sms')),
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
    constraint outbox_payload_check check ((state = 'queued') = (payload is not null))
) strict;
create index outbox_due_idx on outbox (channel, due_at) where state = 'queued';
create index outbox_finished_idx on outbox (finished_at) where state <> 'queued';
create index outbox_expires_idx on outbox (expires_at) where state = 'queued';

-- +goose Down
drop table outbox;
