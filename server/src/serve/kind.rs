use super::paths::Page;

/// What a call is to the limits of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whether the server serves: answered even when nothing else is.
    Health,
    /// Open as long as its client wants.
    Watch,
    /// As long as what it carries.
    Transfer,
    /// Everything else.
    Call,
}

const WATCHES: [&str; 4] = [
    "/grpc.health.v1.Health/Watch",
    "/indicator.v1.WatchService/Watch",
    "/indicator.v1.AnalyticsService/WatchRank",
    "/indicator.v1.AnalyticsService/WatchMilestones",
];

const TRANSFERS: [&str; 2] = ["/indicator.v1.ObservationService/ImportObservations", "/indicator.v1.AdminService/Backup"];

impl Kind {
    /// Of the call of a path.
    pub(super) fn of(path: &str) -> Self {
        if WATCHES.contains(&path) || Page::of(path) == Some(Page::Stream) {
            Self::Watch
        } else if TRANSFERS.contains(&path) {
            Self::Transfer
        } else if path.starts_with("/grpc.health.v1.Health/") {
            Self::Health
        } else {
            Self::Call
        }
    }

    /// Whether the server ends it after a time.
    pub(super) fn is_timed(self) -> bool {
        matches!(self, Self::Call | Self::Health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_watch_or_carry_much_are_known_by_their_path() {
        let methods = [
            ("/indicator.v1.ObservationService/GetObservation", Kind::Call),
            ("/indicator.v1.AnalyticsService/Rank", Kind::Call),
            ("/grpc.health.v1.Health/Check", Kind::Health),
            ("/grpc.health.v1.Health/List", Kind::Health),
            ("/grpc.health.v1.Health/Watch", Kind::Watch),
            ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Kind::Call),
            ("/", Kind::Call),
            ("/regions/CN-SD", Kind::Call),
            ("/live/regions/CN-SD", Kind::Watch),
        ];
        for (path, kind) in methods {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

    /// Else a new one would be ended after a time, unnoticed.
    #[test]
    fn every_method_of_the_schema_that_streams_is_a_watch_or_a_transfer_or_a_query() {
        for path in streams() {
            let timed = Kind::of(&path).is_timed();
            assert_eq!(timed, path.ends_with("/QueryObservations"), "{path}");
        }
    }

    fn streams() -> Vec<String> {
        use prost::Message as _;
        let set = prost_types::FileDescriptorSet::decode(indicator_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut paths = Vec::new();
        for file in set.file.iter().filter(|file| file.package() == "indicator.v1") {
            for service in &file.service {
                let streaming = service.method.iter().filter(|method| method.server_streaming() || method.client_streaming());
                paths.extend(streaming.map(|method| format!("/indicator.v1.{}/{}", service.name(), method.name())));
            }
        }
        assert!(paths.len() >= 5, "{paths:?}");
        paths
    }
}
