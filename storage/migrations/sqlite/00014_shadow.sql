-- +goose Up
-- How often two systems agreed about a password, by caller and day (the microseconds
-- of its midnight). Callers are not referenced: the figures outlive a client.
create table shadow_counters (
    caller text not null,
    result text not null,
    day integer not null,
    count integer not null,
    first_at integer not null,
    last_at integer not null,
    primary key (caller, result, day)
) strict;
create index shadow_counters_day_idx on shadow_counters (day);

-- About whom they did not agree. user_id is null for who is unknown here.
create table shadow_differences (
    caller text not null,
    username text not null,
    kind text not null,
    user_id text,
    count integer not null,
    first_at integer not null,
    last_at integer not null,
    primary key (caller, username, kind)
) strict;
create index shadow_differences_last_at_idx on shadow_differences (last_at);

-- Who calls which legacy endpoint, by day.
create table legacy_calls (
    caller text not null,
    endpoint text not null,
    day integer not null,
    count integer not null,
    first_at integer not null,
    last_at integer not null,
    primary key (caller, endpoint, day)
) strict;
create index legacy_calls_day_idx on legacy_calls (day);

-- +goose Down
drop table legacy_calls;
drop table shadow_differences;
drop table shadow_counters;
