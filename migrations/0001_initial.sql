-- The whole catalog of Lockstep: versions and the edges between them, history, online rows, jobs and reports.
-- Every thing with a version is a row of "versions"; every "A uses B" is a row of "edges", so that deletion and garbage
-- collection are questions to one table.

create table projects (
    id bigint generated always as identity primary key,
    name text not null unique,
    created_at timestamptz not null default now()
);
comment on table projects is 'Namespaces: names are unique within a project.';

create table definitions (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects (id) on delete cascade,
    kind text not null,
    name text not null,
    current_version_id bigint,
    description text not null default '',
    owner text not null default '',
    tags jsonb not null default '{}',
    unique (project_id, kind, name)
);
comment on table definitions is 'A name within a project and kind, the version it means now, and words that cannot change a value.';

create table annotations (
    id bigint generated always as identity primary key,
    definition_id bigint not null references definitions (id) on delete cascade,
    description text not null,
    owner text not null,
    tags jsonb not null,
    changed_at timestamptz not null default now()
);
comment on table annotations is 'History of description, owner and tags, which are edited in place.';
create index on annotations (definition_id, changed_at);

create table versions (
    id bigint generated always as identity primary key,
    definition_id bigint not null references definitions (id) on delete cascade,
    number int not null check (number > 0),
    digest bytea not null check (length(digest) = 32),
    object bytea check (length(object) = 32),
    document json not null,
    created_at timestamptz not null default now(),
    unique (definition_id, number),
    unique (definition_id, digest)
);
comment on table versions is 'Immutable versions of every kind, made by content: the digest is the identity; "object" names the stored artifact.';
create index on versions (digest);

alter table definitions add foreign key (current_version_id) references versions (id) deferrable initially deferred;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are immutable', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger versions_are_immutable before update on versions for each row execute function refuse_change();

create table edges (
    user_id bigint not null references versions (id) on delete cascade,
    used_id bigint not null references versions (id) on delete restrict,
    role text not null,
    primary key (user_id, used_id, role)
);
comment on table edges is 'Version "user_id" uses version "used_id"; what is used cannot be deleted.';
create index on edges (used_id);

create table objects (
    digest bytea primary key check (length(digest) = 32),
    byte_count bigint not null,
    created_at timestamptz not null default now()
);
comment on table objects is 'Content-addressed objects that some version needs; the bytes are in the object store.';

create table version_objects (
    version_id bigint not null references versions (id) on delete cascade,
    digest bytea not null references objects (digest) on delete restrict,
    primary key (version_id, digest)
);
comment on table version_objects is 'Which objects a version cannot do without: assets, code, segments, fitted artifacts.';
create index on version_objects (digest);

create table namespaces (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects (id) on delete cascade,
    is_replay boolean not null,
    is_default boolean not null default false,
    clock timestamptz,
    created_at timestamptz not null default now(),
    check (is_replay = (clock is not null))
);
comment on table namespaces is 'An online store of its own: the live one follows the server''s clock, a replay one a clock that requests move forward.';
create unique index one_live_namespace on namespaces (project_id) where not is_replay;
create unique index one_default_replay on namespaces (project_id) where is_replay and is_default;

create table sequences (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    source_version_id bigint not null references versions (id) on delete cascade,
    next bigint not null check (next > 0),
    primary key (namespace_id, source_version_id)
);
comment on table sequences is 'The next place in the append-only history of a source version.';

create table segments (
    version_id bigint primary key references versions (id) on delete cascade,
    source_version_id bigint not null references versions (id) on delete restrict,
    object bytea not null references objects (digest) on delete restrict,
    row_count bigint not null,
    first_sequence bigint not null,
    last_sequence bigint not null,
    event_times tstzrange not null,
    known_times tstzrange not null,
    sorted_by text[] not null,
    inputs bytea check (length(inputs) = 32)
);
comment on table segments is 'Sealed history: one immutable Parquet object of a source version, sorted by key, event time and known-at.';
create index on segments (source_version_id, first_sequence);
create unique index one_segment_for_inputs on segments (source_version_id, inputs) where inputs is not null;

create table history_head (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    source_version_id bigint not null references versions (id) on delete cascade,
    sequence bigint not null,
    event_time timestamptz not null,
    known_at timestamptz not null check (known_at >= event_time),
    row bytea not null,
    primary key (namespace_id, source_version_id, sequence)
);
comment on table history_head is 'Recent history: rows pushed and not yet sealed into a segment.';

create table materializations (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    view_version_id bigint not null references versions (id) on delete cascade,
    through timestamptz not null,
    sequence bigint not null,
    finished_at timestamptz not null default now(),
    primary key (namespace_id, view_version_id)
);
comment on table materializations is 'Until when, and to which place in history, the online rows of a view version are complete.';

create table online_rows (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    view_version_id bigint not null references versions (id) on delete cascade,
    entity_key bytea not null,
    event_time timestamptz not null,
    known_at timestamptz not null,
    sequence bigint not null,
    features bytea not null,
    primary key (namespace_id, view_version_id, entity_key)
);
comment on table online_rows is 'The newest visible row of each entity, all features of the view packed: one index probe gives it.';

create table online_pending (
    namespace_id bigint not null references namespaces (id) on delete cascade,
    view_version_id bigint not null references versions (id) on delete cascade,
    entity_key bytea not null,
    event_time timestamptz not null,
    known_at timestamptz not null,
    sequence bigint not null,
    features bytea not null,
    primary key (namespace_id, view_version_id, entity_key, known_at, sequence)
);
comment on table online_pending is 'Rows that are durable and not yet visible: known only after the clock they arrived at.';

create table jobs (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects (id) on delete cascade,
    kind text not null,
    arguments json not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    attempts int not null default 0,
    lease_until timestamptz,
    step text not null default '',
    done bigint not null default 0,
    total bigint not null default 0,
    result json,
    error text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
comment on table jobs is 'Long work: claimed with "for update skip locked", kept by a lease on the database''s clock, taken up again when it lapses.';
create index on jobs (state, id) where state in ('queued', 'running');

create table reports (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects (id) on delete cascade,
    lock_version_id bigint references versions (id) on delete restrict,
    digest bytea not null check (length(digest) = 32),
    passed boolean not null,
    document json not null,
    created_at timestamptz not null default now(),
    unique (project_id, digest)
);
comment on table reports is 'Parity reports; a passing one is a certificate for its lock.';
create index on reports (lock_version_id) where passed;
