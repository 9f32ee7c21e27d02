-- A directory of 10,000 organisations, 100,000 services and 1,000,000 users, and
-- a marketplace of as many. The identifier of the n-th is the MD5 of its kind and
-- its number.
set synchronous_commit = off;
set maintenance_work_mem = '256MB';
-- The rows refer to each other as they should: nothing need be checked.
set session_replication_role = replica;

insert into organisations (id, name, name_folded, active, organisation_type, can_approve_own_go_live_requests, permissions, created_at)
select md5('o' || n)::uuid, 'Department of Things ' || n, 'department of things ' || n, true, 'central', false, '[]', 1767225600000000 + n
from generate_series(0, 9999) n;

insert into organisation_domains (domain, organisation_id)
select 'department' || n || '.gov.uk', md5('o' || n)::uuid from generate_series(0, 9999) n;

-- An index of trigrams is made faster than kept.
drop index users_email_normalised_trgm_idx;
insert into users (id, name, first_name, surname, email_address, email_normalised, auth_type, state, platform_admin, roles,
    email_access_validated_at, take_part_in_research, receives_new_features_email, created_at)
select md5('u' || n)::uuid, 'Ann Person', 'Ann', 'Person', address, address, 'email_auth', 'active', false, '[]', 1767225600000000,
    true, true, 1767225600000000 + n
from (
    select n, firsts[1 + n % 40] || '.' || parts[1 + n / 40 % 40] || parts[1 + n / 1600 % 40] || n / 64000 ||
        '@department' || n % 10000 || '.gov.uk' as address
    from generate_series(0, 999999) n, (select
        array['ann', 'john', 'mary', 'omar', 'lucy', 'ivan', 'nora', 'paul', 'zoe', 'sean', 'adam', 'beth', 'carl', 'dina', 'eric',
            'faye', 'gary', 'hana', 'igor', 'jane', 'kyle', 'lena', 'mike', 'nina', 'otto', 'pam', 'quin', 'rosa',
            'sam', 'tess', 'ugo', 'vera', 'will', 'xena', 'yves', 'zara', 'alf', 'bea', 'cyd', 'dov'] as firsts,
        array['mor', 'lin', 'dav', 'ber', 'tan', 'wick', 'ley', 'son', 'har', 'cob', 'fer', 'gus', 'hil', 'jax', 'kep', 'nul',
            'pry', 'quo', 'rus', 'vex', 'ash', 'bol', 'cro', 'dun', 'els', 'fox', 'gil', 'hop', 'iff', 'jud', 'kno',
            'lam', 'mey', 'nob', 'orm', 'pit', 'rad', 'sho', 'tur', 'wyn'] as parts) names
) people;
create index users_email_normalised_trgm_idx on users using gin (email_normalised gin_trgm_ops);

insert into services (id, name, name_folded, active, restricted, organisation_id, organisation_type, permissions,
    email_message_limit, sms_message_limit, letter_message_limit, settings, created_at)
select md5('s' || n)::uuid, 'Service for things ' || n, 'service for things ' || n, true, n % 4 = 0, md5('o' || n % 10000)::uuid,
    'central', '["email","sms","letter"]', 1000, 1000, 1000, '{}', 1767225600000000 + n
from generate_series(0, 99999) n;

-- Everybody is in one service and, one in ten, in the organisation of it.
insert into service_members (service_id, user_id, permissions, created_at)
select md5('s' || n % 100000)::uuid, md5('u' || n)::uuid, '["view_activity"]', 1767225600000000 from generate_series(0, 999999) n;

insert into organisation_members (organisation_id, user_id, permissions, created_at)
select md5('o' || n % 10000)::uuid, md5('u' || n)::uuid, '[]', 1767225600000000 from generate_series(0, 999999, 10) n;

insert into service_allowances (service_id, financial_year, free_sms_fragments, updated_at)
select md5('s' || n)::uuid, 2026, 20000, 1767225600000000 from generate_series(0, 99999) n;

-- Twelve days of usage of two channels.
insert into service_usage (service_id, day, channel, rate, notifications_sent, billable_units, updated_at)
select md5('s' || n)::uuid, '2026-' || lpad(month::text, 2, '0') || '-15', channel, 0.02, 100, 120, 1767225600000000
from generate_series(0, 99999) n, generate_series(1, 12) month, (values ('sms'), ('email')) channels (channel)
where n % 2 = 0;

-- The newest 20,000 users of the marketplace have been imported before.
insert into marketplace_users (id, partner_id, email, email_normalised, profile, meta, visits, version, created_at, updated_at)
select md5('m' || n)::uuid, case n % 4 when 2 then 'bazaar' else 'acme' end, address, address,
    '{"title":"Dr","first_name":"Ann","surname":"Person","county":"Kent"}', '{}', 0, 1, 1767225600000000 + n, 1767225600000000 + n
from (select n, 'shopper' || n || '@example.com' as address from generate_series(0, 979999) n) shoppers;

insert into marketplace_consents (user_id, provider_id, cp_user_id, user_created_at, given_at)
select md5('m' || n)::uuid, 'isp', md5('c' || n)::uuid, 1767225600000000 + n, 1767225600000000 + n
from generate_series(0, 979999, 2) n;

insert into marketplace_totals (company_id, total)
select partner_id, count(*) from marketplace_users group by partner_id
union all
select provider_id, count(*) from marketplace_consents group by provider_id
on conflict (company_id) do update set total = excluded.total;

vacuum analyze;
