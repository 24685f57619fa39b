"""Runs migrations on the file that the configuration names, each run in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

from reactor.audit.schema import metadata


def _migrate() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        raise SystemExit("sqlalchemy.url is not set: name the audit database in alembic.ini")
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": 5.0}
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver would not begin one before DDL, and a deferred one can't wait for a lock.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("the audit database is migrated online only")
_migrate()
