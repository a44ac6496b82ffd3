"""Alembic's entry: runs the versions on the connection that `Database.migrate` hands over."""

from alembic import context

from webapp.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
