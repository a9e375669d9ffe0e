//! Private MariaDB and MySQL servers for tests and benchmarks.
