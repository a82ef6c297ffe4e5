"""Far products in a dict, as plain as can be."""

from __future__ import annotations

from dataclasses import dataclass

from flight.downlink.product import Product, ProductClass, density_key


@dataclass(frozen=True)
class MemoryRow:
    """A far product whose record nobody has to read."""

    product: Product
    key: float
    asks: bool = False

    def __getattr__(self, name):
        return getattr(self.product, name)


class MemoryFarProducts:
    """The `FarProducts` of a test; `damaged` ones can be ranked but not read."""

    def __init__(self):
        self.rows = {}
        self.damaged = set()

    def add(self, product, *, asks=False, ageing_ns=None):
        """A product that was there before the queue was."""
        key = density_key(product, product.size_bytes, ageing_ns)
        self.rows[product.product_id] = MemoryRow(product, key, asks)

    def sums(self, producer):
        own = [row.product for row in self.rows.values() if row.product.producer is producer]
        return len(own), sum(p.size_bytes for p in own), sum(p.value_millis for p in own)

    def put_away(self, product, key):
        self.rows[product.product_id] = MemoryRow(product, key)

    def find(self, product_id):
        return self.rows.get(product_id)

    def fetch(self, product_id):
        row = self.rows.pop(product_id)
        return None if product_id in self.damaged else row.product

    def drop(self, product_id):
        del self.rows[product_id]

    def densest(self, klasses, count, *, asks):
        found = [r for r in self.rows.values() if r.product.klass in klasses and r.asks is asks]
        return sorted(found, key=lambda row: (-row.key, row.product.product_id))[:count]

    def least_dense(self, producers, count):
        found = [
            row
            for row in self.rows.values()
            if row.product.producer in producers and row.product.klass is not ProductClass.EMERGENCY
        ]
        return sorted(found, key=lambda row: (row.key, row.product.product_id))[:count]

    def due(self, now_ns, count):
        late = [
            row
            for row in self.rows.values()
            if row.product.deadline_ns is not None and row.product.deadline_ns <= now_ns
        ]
        return sorted(late, key=lambda row: (row.product.deadline_ns, row.product.product_id))[
            :count
        ]
