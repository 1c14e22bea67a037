//! Finds the route of a request like an HTTP API: the most specific route wins, literals before parameters before greedy
//! parameters.

use std::collections::BTreeMap;

use axum::http::Method;
use percent_encoding::percent_decode_str;

use crate::template::Route;

/// All routes, the most specific ones first.
pub(super) struct Routes(Vec<Pattern>);

struct Pattern {
    route: Route,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// The rest of the path, at least one segment.
    Greedy(String),
}

/// The route of a request, with the percent-decoded values of its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RouteMatch<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

impl Routes {
    pub(super) fn new(routes: &[Route]) -> Self {
        let pattern = |route: &Route| Pattern { route: route.clone(), segments: segments(&route.path) };
        let mut patterns: Vec<_> = routes.iter().map(pattern).collect();
        // `ANY` comes after the methods of the same path.
        patterns.sort_by_key(|pattern| (specificity(&pattern.segments), pattern.route.method == "ANY"));
        Self(patterns)
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<RouteMatch<'_>> {
        let path: Vec<_> = path.strip_prefix('/')?.split('/').map(percent_decode).collect();
        self.0.iter().filter(|pattern| accepts(&pattern.route, method)).find_map(|pattern| pattern.matches(&path))
    }
}

impl Pattern {
    fn matches(&self, path: &[String]) -> Option<RouteMatch<'_>> {
        let mut parameters = BTreeMap::new();
        let mut path = path.iter();
        for segment in &self.segments {
            let value = path.next()?;
            match segment {
                Segment::Literal(literal) if literal == value => {}
                Segment::Parameter(name) if !value.is_empty() => {
                    parameters.insert(name.clone(), value.clone());
                }
                Segment::Greedy(name) if !value.is_empty() => {
                    let rest: Vec<_> = std::iter::once(value).chain(path.by_ref()).map(String::as_str).collect();
                    parameters.insert(name.clone(), rest.join("/"));
                }
                Segment::Literal(_) | Segment::Parameter(_) | Segment::Greedy(_) => return None,
            }
        }
        path.next().is_none().then_some(RouteMatch { route: &self.route, parameters })
    }
}

fn accepts(route: &Route, method: &Method) -> bool {
    route.method == "ANY" || route.method == method.as_str()
}

fn segments(path: &str) -> Vec<Segment> {
    let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name.to_owned()),
            None => Segment::Parameter(name.to_owned()),
        },
        None => Segment::Literal(text.to_owned()),
    };
    path.trim_start_matches('/').split('/').map(segment).collect()
}

/// The sort key of a path. A smaller key is more specific: of two routes, the one whose first parameter comes later.
fn specificity(segments: &[Segment]) -> Vec<u8> {
    let kind = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter(_) => 1,
        Segment::Greedy(_) => 2,
    };
    segments.iter().map(kind).collect()
}

/// Decodes a path or parameter. API Gateway decodes before it matches, and passes the decoded values on.
pub(super) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Authorization;

    fn routes() -> Routes {
        let route = |method: &str, path: &str| Route {
            method: method.into(),
            path: path.into(),
            function: format!("{method} {path}"),
            authorization: Authorization::None,
        };
        Routes::new(&[
            route("GET", "/flows/{flow}"),
            route("GET", "/flows/{flow}/jobs"),
            route("GET", "/flows/overview"),
            route("PUT", "/flows/{flow}"),
            route("GET", "/flows"),
            route("ANY", "/anything"),
            route("GET", "/interchanges/{id}/payloads/{side}"),
            route("GET", "/console"),
            route("GET", "/console/{path+}"),
            route("GET", "/console/{page}/print"),
            route("GET", "/console/config.json"),
        ])
    }

    fn found(method: Method, path: &str) -> Option<(String, Vec<String>)> {
        let routes = routes();
        let matched = routes.find(&method, path)?;
        let parameters = matched.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some((matched.route.function.clone(), parameters))
    }

    fn to(function: &str, parameters: &[&str]) -> Option<(String, Vec<String>)> {
        Some((function.into(), parameters.iter().map(|&parameter| parameter.into()).collect()))
    }

    #[test]
    fn a_path_is_matched_segment_by_segment() {
        assert_eq!(found(Method::GET, "/flows"), to("GET /flows", &[]));
        assert_eq!(found(Method::GET, "/flows/orders"), to("GET /flows/{flow}", &["flow=orders"]));
        assert_eq!(found(Method::GET, "/flows/orders/jobs"), to("GET /flows/{flow}/jobs", &["flow=orders"]));
        let payload = to("GET /interchanges/{id}/payloads/{side}", &["id=4711", "side=sender"]);
        assert_eq!(found(Method::GET, "/interchanges/4711/payloads/sender"), payload);
    }

    #[test]
    fn the_method_chooses_between_routes_of_one_path() {
        assert_eq!(found(Method::PUT, "/flows/orders"), to("PUT /flows/{flow}", &["flow=orders"]));
        assert_eq!(found(Method::DELETE, "/flows/orders"), None);
        assert_eq!(found(Method::DELETE, "/anything"), to("ANY /anything", &[]));
    }

    #[test]
    fn a_literal_has_priority_over_a_parameter() {
        assert_eq!(found(Method::GET, "/flows/overview"), to("GET /flows/overview", &[]));
    }

    #[test]
    fn a_greedy_parameter_matches_the_rest_of_the_path_if_it_is_not_empty() {
        let page = |rest: &str| to("GET /console/{path+}", &[&format!("path={rest}")]);
        assert_eq!(found(Method::GET, "/console"), to("GET /console", &[]));
        assert_eq!(found(Method::GET, "/console/flows"), page("flows"));
        assert_eq!(found(Method::GET, "/console/assets/0a1b/app.js"), page("assets/0a1b/app.js"));
        assert_eq!(found(Method::GET, "/console/interchanges/a%2Fb%3A1"), page("interchanges/a/b:1"));
        assert_eq!(found(Method::GET, "/console/"), None);
        assert_eq!(found(Method::GET, "/consoles/flows"), None);
    }

    #[test]
    fn a_more_specific_route_has_priority_over_a_greedy_parameter() {
        assert_eq!(found(Method::GET, "/console/config.json"), to("GET /console/config.json", &[]));
        assert_eq!(found(Method::GET, "/console/flows/print"), to("GET /console/{page}/print", &["page=flows"]));
        assert_eq!(found(Method::GET, "/console/flows/print/a"), to("GET /console/{path+}", &["path=flows/print/a"]));
    }

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(found(Method::GET, "/flows/a%3Ab%40c"), to("GET /flows/{flow}", &["flow=a:b@c"]));
    }

    #[test]
    fn a_parameter_is_never_empty_and_a_route_matches_the_whole_path() {
        assert_eq!(found(Method::GET, "/flows/"), None);
        assert_eq!(found(Method::GET, "/flows/orders/jobs/7"), None);
        assert_eq!(found(Method::GET, "/"), None);
    }
}
