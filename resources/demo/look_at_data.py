import csv
from collections import Counter

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]

with open("penguins.csv", newline="", encoding="utf-8") as f:
    rows = list(csv.DictReader(f))
columns = list(rows[0])


def counted(values):
    return ", ".join(f"{name} {n}" for name, n in Counter(values).most_common())


print(f"rows: {len(rows)}")
print(f"columns: {', '.join(columns)}")
print(f"duplicate rows: {len(rows) - len({tuple(r.values()) for r in rows})}")
print(f"species: {counted(r['species'] for r in rows)}")
print(f"sex values: {counted(r['sex'] for r in rows if r['sex'])}")
missing = {c: sum(1 for r in rows if not r[c]) for c in columns}
print("missing values: " + (", ".join(f"{c} {n}" for c, n in missing.items() if n) or "none"))
print(f"rows without any measurement: {sum(1 for r in rows if not any(r[c] for c in NUMBERS))}")
complete = next(r for r in rows if all(r[c] for c in NUMBERS))
print(f"first complete row: {complete['species']} {' '.join(complete[c] for c in NUMBERS)}")
for species in sorted({r["species"] for r in rows}):
    print(f"islands of {species}: {counted(r['island'] for r in rows if r['species'] == species)}")
for c in NUMBERS:
    values = sorted(float(r[c]) for r in rows if r[c])
    print(f"{c}: min {values[0]:g}, median {values[len(values) // 2]:g}, max {values[-1]:g}")
