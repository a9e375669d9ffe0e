PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE vardelta_meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO vardelta_meta VALUES('ledger_version','3');
CREATE TABLE vardelta_tables (
  table_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
  pipeline TEXT NOT NULL,
  created_epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO vardelta_tables VALUES('genes','old',1);
INSERT INTO vardelta_tables VALUES('variants','old',1);
INSERT INTO vardelta_tables VALUES('variants_history','old',1);
CREATE TABLE vardelta_epochs (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  committed_at TEXT NOT NULL,
  definition TEXT NOT NULL,
  table_counts TEXT NOT NULL,
  PRIMARY KEY (pipeline, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO vardelta_epochs VALUES('old',1,'2026-11-28T11:52:18Z','{"alleles":{"inputs":["calls"],"options":{},"type":"normalize","version":2},"calls":{"options":{"info":["GENE"]},"type":"vcf","version":3},"columns_kept":{"inputs":["alleles"],"options":{"columns":[["chromosome","chrom"],["position","pos"],["reference","ref"],["alternate","alt"],["gene","coalesce(info_gene, ''none'')"]]},"type":"select","version":1},"genes":{"inputs":["variants"],"options":{"columns":[["variants","count(*)"]],"group_by":["gene"]},"type":"aggregate","version":1},"variants":{"inputs":["columns_kept"],"options":{"key":["chromosome","position","reference","alternate"]},"type":"table","version":1},"warehouse":{"tables":["variants","genes"]}}','[{"name":"variants","inserted":2,"updated":0,"deleted":0,"unchanged":0},{"name":"genes","inserted":1,"updated":0,"deleted":0,"unchanged":0}]');
INSERT INTO vardelta_epochs VALUES('old',2,'2026-11-28T11:52:19Z','{"alleles":{"inputs":["calls"],"options":{},"type":"normalize","version":2},"calls":{"options":{"info":["GENE"]},"type":"vcf","version":3},"columns_kept":{"inputs":["alleles"],"options":{"columns":[["chromosome","chrom"],["position","pos"],["reference","ref"],["alternate","alt"],["gene","coalesce(info_gene, ''none'')"]]},"type":"select","version":1},"genes":{"inputs":["variants"],"options":{"columns":[["variants","count(*)"]],"group_by":["gene"]},"type":"aggregate","version":1},"variants":{"inputs":["columns_kept"],"options":{"key":["chromosome","position","reference","alternate"]},"type":"table","version":1},"warehouse":{"tables":["variants","genes"]}}','[{"name":"variants","inserted":1,"updated":1,"deleted":0,"unchanged":1},{"name":"genes","inserted":1,"updated":1,"deleted":0,"unchanged":0}]');
INSERT INTO vardelta_epochs VALUES('old',3,'2026-11-28T11:52:19Z','{"alleles":{"inputs":["calls"],"options":{},"type":"normalize","version":2},"calls":{"options":{"info":["GENE"]},"type":"vcf","version":3},"columns_kept":{"inputs":["alleles"],"options":{"columns":[["chromosome","chrom"],["position","pos"],["reference","ref"],["alternate","alt"],["gene","coalesce(info_gene, ''none'')"]]},"type":"select","version":1},"genes":{"inputs":["variants"],"options":{"columns":[["variants","count(*)"]],"group_by":["gene"]},"type":"aggregate","version":1},"variants":{"inputs":["columns_kept"],"options":{"key":["chromosome","position","reference","alternate"]},"type":"table","version":1},"warehouse":{"tables":["variants","genes"]}}','[{"name":"variants","inserted":1,"updated":0,"deleted":0,"unchanged":3},{"name":"genes","inserted":1,"updated":0,"deleted":0,"unchanged":2}]');
INSERT INTO vardelta_epochs VALUES('old',4,'2026-11-28T11:52:19Z','{"alleles":{"inputs":["calls"],"options":{},"type":"normalize","version":2},"calls":{"options":{"info":["GENE"]},"type":"vcf","version":3},"columns_kept":{"inputs":["alleles"],"options":{"columns":[["chromosome","chrom"],["position","pos"],["reference","ref"],["alternate","alt"],["gene","coalesce(info_gene, ''none'')"]]},"type":"select","version":1},"genes":{"inputs":["variants"],"options":{"columns":[["variants","count(*)"]],"group_by":["gene"]},"type":"aggregate","version":1},"variants":{"inputs":["columns_kept"],"options":{"key":["chromosome","position","reference","alternate"]},"type":"table","version":1},"warehouse":{"tables":["variants","genes"]}}','[{"name":"variants","inserted":0,"updated":0,"deleted":1,"unchanged":3},{"name":"genes","inserted":0,"updated":0,"deleted":1,"unchanged":2}]');
INSERT INTO vardelta_epochs VALUES('old',5,'2026-11-28T11:52:59Z','{"alleles":{"inputs":["calls"],"options":{},"type":"normalize","version":2},"calls":{"options":{"info":["GENE"]},"type":"vcf","version":3},"columns_kept":{"inputs":["alleles"],"options":{"columns":[["chromosome","chrom"],["position","pos"],["reference","ref"],["alternate","alt"],["gene","coalesce(info_gene, ''none'')"]]},"type":"select","version":1},"genes":{"inputs":["variants"],"options":{"columns":[["variants","count(*)"]],"group_by":["gene"]},"type":"aggregate","version":1},"variants":{"inputs":["columns_kept"],"options":{"key":["chromosome","position","reference","alternate"]},"type":"table","version":1},"warehouse":{"tables":["variants","genes"]}}','[{"name":"variants","inserted":1,"updated":0,"deleted":0,"unchanged":3},{"name":"genes","inserted":1,"updated":0,"deleted":0,"unchanged":2}]');
CREATE TABLE vardelta_drops (
  pipeline TEXT NOT NULL,
  drop_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes_digest TEXT NOT NULL,
  content_digest TEXT NOT NULL,
  added_epoch INTEGER NOT NULL,
  loaded_epoch INTEGER NOT NULL,
  records_read INTEGER NOT NULL,
  records_loaded INTEGER NOT NULL,
  records_filtered INTEGER NOT NULL,
  records_rejected INTEGER NOT NULL,
  records_duplicate INTEGER NOT NULL,
  records_no_alternate INTEGER NOT NULL, records_reference_blocks INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (pipeline, drop_id),
  UNIQUE (pipeline, source, name)
) STRICT, WITHOUT ROWID;
INSERT INTO vardelta_drops VALUES('old',1,'calls','one','/srv/old/drops/one.vcf','057249a81d1522d971f62ee71bb32644','e58e32dba566b588d45e04cfc8a7b549',1,1,2,2,0,0,0,0,0);
INSERT INTO vardelta_drops VALUES('old',2,'calls','two','/srv/old/drops/two.vcf','249aa60d4fc3ddb1bc6a0129eb9360e8','20543fe3333ad4eacf0373d028384370',2,2,2,2,0,0,0,0,0);
INSERT INTO vardelta_drops VALUES('old',4,'calls','four','/srv/old/drops/four.vcf','59493debb39ef82a45b8c436e9ba9c98','70085c08aa0edf5b33b6f8ee603f9843',5,5,1,1,0,0,0,0,0);
CREATE TABLE vardelta_events (
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  drop_id INTEGER,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  records_read INTEGER NOT NULL,
  records_loaded INTEGER NOT NULL,
  records_filtered INTEGER NOT NULL,
  records_rejected INTEGER NOT NULL,
  records_duplicate INTEGER NOT NULL,
  records_no_alternate INTEGER NOT NULL, records_reference_blocks INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (pipeline, epoch, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO vardelta_events VALUES('old',1,0,1,'calls','one','added',2,2,0,0,0,0,0);
INSERT INTO vardelta_events VALUES('old',2,0,2,'calls','two','added',2,2,0,0,0,0,0);
INSERT INTO vardelta_events VALUES('old',3,0,3,'calls','three','added',1,1,0,0,0,0,0);
INSERT INTO vardelta_events VALUES('old',4,0,3,'calls','three','withdrawn',0,0,0,0,0,0,0);
INSERT INTO vardelta_events VALUES('old',5,0,4,'calls','four','added',1,1,0,0,0,0,0);
CREATE TABLE vardelta_rejects (
  reject_id INTEGER NOT NULL PRIMARY KEY,
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  drop_id INTEGER,
  drop_name TEXT,
  stage TEXT NOT NULL,
  line INTEGER,
  contig TEXT,
  pos INTEGER,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  raw TEXT
) STRICT;
CREATE TABLE vardelta_columns (
  table_name TEXT NOT NULL COLLATE NOCASE,
  column_name TEXT NOT NULL,
  PRIMARY KEY (table_name, column_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "variants" (
  "chromosome" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "reference" TEXT NOT NULL,
  "alternate" TEXT NOT NULL,
  "gene" TEXT NOT NULL,
  "changed_epoch" INTEGER NOT NULL,
  PRIMARY KEY ("chromosome", "position", "reference", "alternate")
) STRICT, WITHOUT ROWID;
INSERT INTO variants VALUES('1',100,'A','C','TP53',1);
INSERT INTO variants VALUES('1',200,'G','T','BRCA2',2);
INSERT INTO variants VALUES('1',300,'C','G','BRCA2',2);
INSERT INTO variants VALUES('1',500,'C','G','KRAS',5);
CREATE TABLE IF NOT EXISTS "genes" (
  "gene" TEXT NOT NULL,
  "variants" INTEGER NOT NULL,
  "changed_epoch" INTEGER NOT NULL,
  PRIMARY KEY ("gene")
) STRICT, WITHOUT ROWID;
INSERT INTO genes VALUES('BRCA2',2,2);
INSERT INTO genes VALUES('KRAS',1,5);
INSERT INTO genes VALUES('TP53',1,2);
CREATE TABLE IF NOT EXISTS "variants_history" (
  "chromosome" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "reference" TEXT NOT NULL,
  "alternate" TEXT NOT NULL,
  "epoch" INTEGER NOT NULL,
  "operation" TEXT NOT NULL,
  "old_gene" TEXT,
  "new_gene" TEXT,
  "drops" TEXT NOT NULL,
  "changed_at" TEXT NOT NULL,
  "changed_epoch" INTEGER NOT NULL,
  PRIMARY KEY ("chromosome", "position", "reference", "alternate", "epoch")
) STRICT, WITHOUT ROWID;
INSERT INTO variants_history VALUES('1',100,'A','C',1,'insert',NULL,'TP53','["one"]','2026-11-28T11:52:18Z',1);
INSERT INTO variants_history VALUES('1',200,'G','T',1,'insert',NULL,'TP53','["one"]','2026-11-28T11:52:18Z',1);
INSERT INTO variants_history VALUES('1',200,'G','T',2,'update','TP53','BRCA2','["two"]','2026-11-28T11:52:19Z',2);
INSERT INTO variants_history VALUES('1',300,'C','G',2,'insert',NULL,'BRCA2','["two"]','2026-11-28T11:52:19Z',2);
INSERT INTO variants_history VALUES('1',400,'C','G',3,'insert',NULL,'KRAS','["three"]','2026-11-28T11:52:19Z',3);
INSERT INTO variants_history VALUES('1',400,'C','G',4,'delete','KRAS',NULL,'["three"]','2026-11-28T11:52:19Z',4);
INSERT INTO variants_history VALUES('1',500,'C','G',5,'insert',NULL,'KRAS','["four"]','2026-11-28T11:52:59Z',5);
CREATE INDEX vardelta_rejects_by_epoch ON vardelta_rejects (pipeline, epoch);
COMMIT;
