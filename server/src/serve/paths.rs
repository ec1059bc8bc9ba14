//! Whose a path is: that of a method of gRPC, or that of a page for a browser.

use http::HeaderMap;

use super::is_grpc;

/// What a path is to the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// A view, or a file of one.
    View,
    /// What happens in a view.
    Stream,
    /// What a browser needs before anybody has shown a credential: styles, the form for a token.
    Open,
}

/// Stands before the path of a view whose stream is asked for.
pub(crate) const STREAMS: &str = "/live/";

impl Page {
    /// Of a request; `None` for a call of gRPC, whatever the name of its service.
    pub(crate) fn of_request(path: &str, headers: &HeaderMap) -> Option<Self> {
        if is_grpc(headers) { None } else { Self::of(path) }
    }

    /// Of a path of the display; `None` for one of gRPC, which begins with the name of a service: that has a point in it.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if first.contains('.') {
            return None;
        }
        Some(if path.starts_with(STREAMS) {
            Self::Stream
        } else if path.starts_with("/assets/") || path == "/login" || path == "/logout" {
            Self::Open
        } else {
            Self::View
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_of_grpc_have_a_point_in_their_names_and_pages_have_none() {
        for path in ["/", "/regions/CN-SD", "/regions/CN-SD.3710/ny.gdp", "/nowhere", ""] {
            assert_eq!(Page::of(path), Some(Page::View), "{path}");
        }
        assert_eq!(Page::of("/live/regions/a.b"), Some(Page::Stream));
        assert_eq!(Page::of("/assets/x/display.css"), Some(Page::Open));
        let services = indicator_proto::pool().services().map(|service| service.full_name().to_owned());
        for service in services.chain(["grpc.reflection.v1.ServerReflection".to_owned()]) {
            for slashes in ["/", "//", "", "///"] {
                assert_eq!(Page::of(&format!("{slashes}{service}/Method")), None, "{slashes}{service}");
            }
        }
    }

    #[test]
    fn a_call_of_grpc_is_no_page_even_of_a_service_without_a_package() {
        let headers = |content_type: &'static str| {
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type))])
        };
        assert_eq!(Page::of_request("/Greeter/SayHello", &headers("application/grpc+proto")), None);
        assert_eq!(Page::of_request("/Greeter/SayHello", &headers("text/plain")), Some(Page::View));
    }

    /// What is open asks nobody for a credential: it must be no way to a method.
    #[test]
    fn nothing_of_grpc_is_open() {
        for path in ["/indicator.v1.ObservationService/login", "/indicator.v1.AdminService/../assets/x", "/assets.x/login"] {
            assert_eq!(Page::of(path), None, "{path}");
        }
    }
}
