"""The buyers' vouchers: bearer rights, so encrypted where they lie and gone once they are used."""

from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import delete

from contracts.voucher import Voucher, encode_voucher, sign_voucher
from webapp.database import Database
from webapp.models import SaleRow, VoucherRow, now
from webapp.secret_files import kept_secret

DAY_S = 86_400


class Vouchers:
    """Signs, keeps and hands out vouchers."""

    def __init__(self, database: Database, chain_id: int, key_file: Path) -> None:
        """Keep them in this database under the key in `key_file`."""
        self._database = database
        self._chain_id = chain_id
        self._cipher = Fernet(kept_secret(key_file, Fernet.generate_key))

    def sign(self, key: bytes, sale: str, attempt: int, expires_at: int) -> Voucher:
        """Sign with the buyer's key and keep; a former voucher of this buyer for this sale is replaced."""
        voucher = sign_voucher(key, chain_id=self._chain_id, sale=sale, attempt=attempt, expires_at=expires_at)
        self.keep(voucher, attempt)
        return voucher

    def keep(self, voucher: Voucher, attempt: int) -> None:
        """Keep a voucher, encrypted."""
        sealed = self._cipher.encrypt(encode_voucher(voucher).encode())
        row = VoucherRow(
            chain_id=voucher.chain_id,
            sale=voucher.sale,
            buyer=voucher.buyer,
            attempt=attempt,
            expires_at=voucher.expires_at,
            sealed=sealed,
        )
        with self._database.write() as session:
            session.merge(row)

    def find(self, sale: str, buyer: str) -> VoucherRow | None:
        """Return what is kept for this buyer of this sale."""
        with self._database.read() as session:
            return session.get(VoucherRow, (self._chain_id, sale, buyer))

    def text(self, row: VoucherRow) -> str:
        """Return the barcode's text."""
        return self._cipher.decrypt(row.sealed).decode()

    def drop_consumed(self) -> None:
        """Delete what can no longer open a door: collected, refunded, or bought by somebody else."""
        ended = SaleRow.status.in_((3, 5))
        other = (SaleRow.buyer.is_not(None)) & (SaleRow.buyer != VoucherRow.buyer)
        sale_of = (SaleRow.chain_id == VoucherRow.chain_id) & (SaleRow.address == VoucherRow.sale)
        spent = SaleRow.__table__.select().where(sale_of, ended | other).exists()
        with self._database.write() as session:
            session.execute(delete(VoucherRow).where(spent))


def expiry(window_s: int, refundable_at: int, days: int, chain_time: int) -> int:
    """Return until when a voucher signed now is good: `days`, and never beyond the refund's beginning.

    Before the purchase is mined that beginning is not known; it is no earlier than the newest block's time + window.
    """
    latest = now() + days * DAY_S
    if not window_s:
        return latest
    return min(latest, refundable_at or chain_time + window_s)
