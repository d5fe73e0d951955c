-- The life of a snapshot: tags and aliases, forgetting, sessions that keep objects, withdrawal of objects, erasure.

create table labels (
    definition_id bigint not null references definitions (id) on delete cascade,
    name text not null check (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$' and name !~ '^[0-9]+$' and length(name) <= 200),
    kind text not null check (kind in ('tag', 'alias')),
    version_id bigint not null references versions (id),
    set_at timestamptz not null default now(),
    primary key (definition_id, name)
);
comment on table labels is 'Second names of versions: a tag never moves, an alias does. What has one is not forgotten.';
create index on labels (version_id);
create trigger tags_are_immutable before update on labels for each row
    when (old.kind = 'tag' or new.kind = 'tag') execute function refuse_change();

create table label_changes (
    id bigint generated always as identity primary key,
    definition_id bigint not null references definitions (id) on delete cascade,
    name text not null,
    kind text not null check (kind in ('tag', 'alias')),
    action text not null check (action in ('set', 'moved', 'deleted')),
    number int not null,
    digest bytea not null check (length(digest) = 32),
    changed_at timestamptz not null default now()
);
comment on table label_changes is 'Every tag and alias that was ever set, moved or deleted, by the number and digest that it meant.';
create index on label_changes (definition_id, id);

create table forgotten_versions (
    definition_id bigint not null references definitions (id) on delete cascade,
    number int not null check (number > 0),
    digest bytea not null check (length(digest) = 32),
    created_at timestamptz not null,
    forgotten_at timestamptz not null default now(),
    primary key (definition_id, number)
);
comment on table forgotten_versions is 'Numbers of versions that were forgotten: they are never given again.';

alter table objects
    add column stored_at timestamptz,
    add column touched_at timestamptz not null default now();
update objects set stored_at = created_at, touched_at = created_at;
comment on table objects is 'Content-addressed objects that the store has or is being sent; what any row refers to cannot be withdrawn.';
comment on column objects.stored_at is 'Since when the bytes are known to be whole in the store; null while they are being sent.';
comment on column objects.touched_at is 'When somebody last sent the object; until some time after, it is left alone though nothing needs it.';

create table withdrawals (
    digest bytea primary key check (length(digest) = 32),
    byte_count bigint not null,
    withdrawn_at timestamptz not null default now(),
    deleting_until timestamptz
);
comment on table withdrawals is 'Objects that the service no longer says it has; their bytes are deleted next, and then the row.';
comment on column withdrawals.deleting_until is 'Until when a collector may be deleting the bytes, so that nobody may send them again.';

create table sessions (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects (id) on delete cascade,
    kind text not null check (kind in ('write', 'read')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
comment on table sessions is 'Writers and readers of objects at work; each is a lease on the database''s clock.';

create table pins (
    session_id bigint not null references sessions (id) on delete cascade,
    digest bytea not null check (length(digest) = 32),
    primary key (session_id, digest)
);
comment on table pins is 'Objects that a session sends or relies on: not withdrawn while it lives, stored yet or not.';
create index on pins (digest);

create table tombstones (
    digest bytea primary key check (length(digest) = 32),
    project_id bigint references projects (id) on delete set null,
    byte_count bigint not null,
    path text not null,
    reason text not null check (reason <> ''),
    actor text not null,
    erased_at timestamptz not null default now(),
    finished_at timestamptz
);
comment on table tombstones is 'Content that was erased for a reason: its bytes are gone and never taken again, its digest stays.';
comment on column tombstones.finished_at is 'When the last copy in the store was gone; null while the erasure is under way.';
