"""The index in the database: takes entries in, undoes blocks, forgets everything; always in one transaction."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Insert, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.index.mapping import DEVICE, OPERATOR, SALE, SITE, Entry, Row, fold, kind_of
from webapp.ledger_models import LEDGER, LedgerBlock, LedgerTransaction
from webapp.models import INDEX, Base, Block, DeviceRow, Event, OperatorRow, SaleRow, SiteRow

CHUNK = 400
"""Rows a statement: SQLite takes 32,766 values at most."""

_TABLES: dict[str, type[Base]] = {SALE: SaleRow, OPERATOR: OperatorRow, SITE: SiteRow, DEVICE: DeviceRow}


def take_in(session: Session, chain_id: int, entries: Sequence[Entry]) -> None:
    """Add entries, newest blocks only, and bring their entities' rows up to date."""
    by_entity: dict[str, list[Entry]] = {}
    for entry in entries:
        by_entity.setdefault(entry.entity, []).append(entry)
    rows = _rows_of(session, chain_id, by_entity)
    folded = {entity: fold(rows.get(entity), group) for entity, group in by_entity.items()}
    insert(session, Event, [_event_row(entry) for entry in entries])
    _save(session, folded)


def undo_above(session: Session, chain_id: int, number: int) -> None:
    """Forget every block above `number`: the rows become what the remaining entries say."""
    above = (Event.chain_id == chain_id, Event.block > number)
    touched = list(session.scalars(select(Event.entity).where(*above).distinct()))
    session.execute(delete(Event).where(*above))
    session.execute(delete(Block).where(Block.chain_id == chain_id, Block.number > number))
    session.execute(
        delete(LedgerTransaction).where(LedgerTransaction.chain_id == chain_id, LedgerTransaction.block > number)
    )
    session.execute(delete(LedgerBlock).where(LedgerBlock.chain_id == chain_id, LedgerBlock.number > number))
    for entity in touched:
        row = fold(None, entries_of(session, chain_id, entity))
        if row is None:
            _remove(session, chain_id, entity)
        else:
            _save(session, {entity: row})


def forget(session: Session, chain_id: int) -> None:
    """Empty the index of one chain."""
    for table in (*INDEX, *LEDGER):
        session.execute(delete(table).where(table.chain_id == chain_id))


def stand_at(session: Session, block: Row, keep: int = 4096) -> None:
    """Remember that everything up to this block is in; blocks far below are forgotten."""
    upsert(session, Block, [block])
    old = (Block.chain_id == block["chain_id"], Block.number < block["number"] - keep)
    # The oldest one stays as the floor of every search for a common ancestor.
    floor = select(func.min(Block.number)).where(Block.chain_id == block["chain_id"]).scalar_subquery()
    session.execute(delete(Block).where(*old, Block.number > floor))


def newest(session: Session, chain_id: int, most: int | None = None) -> list[Block]:
    """Return the remembered blocks, newest first."""
    query = select(Block).where(Block.chain_id == chain_id).order_by(Block.number.desc()).limit(most)
    return list(session.scalars(query))


def top_hash(session: Session, chain_id: int) -> str | None:
    """Return the hash of the block that the index stands at; `None` before the first."""
    query = select(Block.hash).where(Block.chain_id == chain_id).order_by(Block.number.desc()).limit(1)
    return session.scalar(query)


def entries_of(session: Session, chain_id: int, entity: str) -> Iterable[Entry]:
    """Return an entity's entries in the chain's order."""
    query = select(Event).where(Event.chain_id == chain_id, Event.entity == entity)
    for event in session.scalars(query.order_by(Event.block, Event.log_index)):
        names = Entry.__dataclass_fields__
        yield Entry(**{name: getattr(event, name) for name in names})


def _event_row(entry: Entry) -> Row:
    return {**entry.__dict__, "entity": entry.entity}


def _key(entity: str) -> Any:
    kind, _, key = entity.partition(":")
    return key if kind in (SALE, OPERATOR) else int(key)


def _key_column(kind: str) -> Any:
    table: Any = _TABLES[kind]
    return table.address if kind in (SALE, OPERATOR) else table.id


def _rows_of(session: Session, chain_id: int, entities: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    wanted: dict[str, list[str]] = {}
    for entity in entities:
        wanted.setdefault(kind_of(entity), []).append(entity)
    for kind, names in wanted.items():
        for start in range(0, len(names), CHUNK):
            keys = [_key(name) for name in names[start : start + CHUNK]]
            table = _table(_TABLES[kind])
            query = select(table).where(table.c.chain_id == chain_id, _key_column(kind).in_(keys))
            found.update(
                {f"{kind}:{row[_key_column(kind).key]}": dict(row) for row in session.execute(query).mappings()}
            )
    return found


def _save(session: Session, rows: dict[str, Row | None]) -> None:
    by_kind: dict[str, list[Row]] = {}
    for entity, row in rows.items():
        if row is not None:
            by_kind.setdefault(kind_of(entity), []).append(row)
    for kind, group in by_kind.items():
        upsert(session, _TABLES[kind], group)


def _remove(session: Session, chain_id: int, entity: str) -> None:
    kind = kind_of(entity)
    table = _TABLES[kind]
    session.execute(
        delete(_table(table)).where(_table(table).c.chain_id == chain_id, _key_column(kind) == _key(entity))
    )


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  # every model here is one table
    return table


def insert(session: Session, model: type[Base], rows: list[Row]) -> None:
    """Add rows."""
    if rows:
        session.execute(_table(model).insert(), rows)


def upsert(session: Session, model: type[Base], rows: list[Row]) -> None:
    """Add rows, or replace those of the same key."""
    table = _table(model)
    dialect = session.get_bind().dialect.name
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    upsert: Insert = statement.on_conflict_do_update(index_elements=keys, set_=others)
    session.execute(upsert, rows)


def canonical(session: Session, chain_id: int) -> str:
    """Return everything the index says as one text, for comparing two indexes."""
    lines = []
    for model in (*INDEX, *LEDGER):
        if model is Block:
            continue
        table = _table(model)
        query = select(table).where(table.c.chain_id == chain_id).order_by(*table.primary_key)
        lines += [json.dumps([table.name, *row], default=str) for row in session.execute(query)]
    return "\n".join(lines)
