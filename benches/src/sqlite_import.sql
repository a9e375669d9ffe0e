CREATE TABLE variants (
  chromosome TEXT NOT NULL,
  position INTEGER NOT NULL,
  reference TEXT NOT NULL,
  alternate TEXT NOT NULL,
  quality REAL,
  filter TEXT,
  depth INTEGER,
  clinical_significance TEXT,
  annotation TEXT,
  PRIMARY KEY (chromosome, position, reference, alternate)
) STRICT, WITHOUT ROWID;
.mode tabs
.import /dev/stdin variants
