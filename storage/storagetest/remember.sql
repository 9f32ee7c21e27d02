-- Keeps beside a migrated database what it is like, for reset.sql.
create schema pristine;

-- Whatever is not in a table: when it has changed, emptying tables is not enough.
create function pristine.shape() returns text language sql as $$
    select md5(string_agg(line, '|' order by line)) from (
        select relname || relkind::text || relnatts from pg_class where relnamespace = 'public'::regnamespace
        union all select conname from pg_constraint where connamespace = 'public'::regnamespace
        union all select tgname from pg_trigger
    ) lines (line)
$$;

do $$
declare
    name text;
    filled boolean;
begin
    for name in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('select exists (select 1 from public.%I)', name) into filled;
        if filled then
            execute format('create table pristine.%I as table public.%I', name, name);
        end if;
    end loop;
    execute format('comment on schema pristine is %L', pristine.shape());
end $$;
