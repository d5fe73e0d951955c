-- What windowed features are computed from when they are read.

create table online_events (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    view_version_id bigint not null references versions (id) on delete cascade,
    entity_key bytea not null,
    event_time timestamptz not null,
    known_at timestamptz not null,
    sequence bigint not null,
    inputs bytea not null,
    expires_at timestamptz not null,
    primary key (namespace_id, view_version_id, entity_key, event_time, known_at, sequence)
);
comment on table online_events is 'For views with windows: what each row of history leaves for them, kept until the widest window has passed it.';
create index on online_events (expires_at);
