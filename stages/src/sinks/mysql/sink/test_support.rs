//! Connections as tests need them.

use vardelta_engine::contract::sink::Access;

use super::MySqlSink;
use crate::sinks::mysql::settings::Settings;

impl MySqlSink {
    /// As if the connection of this number had been this one's, and lost.
    pub(in crate::sinks::mysql) fn pretend_lost(&mut self, id: u64) {
        self.lost = Some(id);
    }

    /// Its connection.
    pub(in crate::sinks::mysql) fn conn(&mut self) -> &mut mysql::Conn {
        &mut self.link.as_mut().expect("it is connected").conn
    }

    /// One that has lost its connection.
    pub(in crate::sinks::mysql) fn lost(settings: &Settings) -> MySqlSink {
        MySqlSink {
            settings: settings.clone(),
            access: Access::Write,
            link: None,
            lost: None,
            locked: None,
            begun: None,
            local_infile: false,
            notices: Vec::new(),
            offenders: Vec::new(),
        }
    }
}
