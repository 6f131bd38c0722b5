"""What Alembic runs: the migrations, on the connection and inside the transaction that riskd hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,  # on SQLite too: riskd says BEGIN itself
)
with context.begin_transaction():
    context.run_migrations()
