-- +goose Up
-- Browsers in which a user has signed in, each known by a token of its own that is
-- replaced at every sign-in. failed_count are failures there while the account was
-- locked for everybody else.
create table known_browsers (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    token_hash bytea not null,
    failed_count integer not null default 0,
    created_at bigint not null,
    seen_at bigint not null
);
create unique index known_browsers_token_hash_key on known_browsers (token_hash);
create index known_browsers_user_id_idx on known_browsers (user_id, seen_at);
create index known_browsers_seen_at_idx on known_browsers (seen_at);

-- The known browser that a session was started in: it is forgotten with the session
-- when somebody signs out there from elsewhere.
alter table sessions add column browser_id uuid;
-- When a browser of the user was known for the first time. Nobody is told of that one.
alter table users add column recognised_at bigint;

-- +goose Down
alter table users drop column recognised_at;
alter table sessions drop column browser_id;
drop table known_browsers;
