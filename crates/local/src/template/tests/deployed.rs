//! Tests of the deployed template.

use std::path::Path;

use super::*;

fn deployed() -> Template {
    deployed_with(&[])
}

fn deployed_with(parameters: &[(&str, &str)]) -> Template {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    parse_with(&std::fs::read_to_string(path).unwrap(), parameters)
}

#[test]
fn every_part_of_it_is_supported() {
    let template = deployed();
    assert_eq!(template.tables.len(), 1);
    assert_eq!(template.tables[0].name, "reprise");
    assert_eq!(template.tables[0].time_to_live.as_deref(), Some("ttl"));
    assert_eq!(template.groups, [ScheduleGroup { name: "reprise".into() }]);
    let names: Vec<_> = template.functions.iter().map(|function| function.name.as_str()).collect();
    for binary in
        ["ingest-failure", "list", "restart", "retry", "delete", "scheduled-retry", "run-job", "configure-flow"]
    {
        assert!(names.contains(&format!("reprise-{binary}").as_str()), "{binary} is missing in {names:?}");
    }
    let sources: Vec<_> =
        template.sources.iter().map(|source| (source.queue.as_str(), source.function.as_str())).collect();
    let expected = [
        ("reprise-failures", "reprise-ingest-failure"),
        ("reprise-jobs-dlq", "reprise-run-job"),
        ("reprise-jobs", "reprise-run-job"),
    ];
    assert_eq!(sources, expected);
    assert!(template.sources.iter().all(|source| source.partial_failures == PartialFailures::Reported));
}

#[test]
fn every_queue_that_is_consumed_has_a_dead_letter_queue() {
    let template = deployed();
    // A dead-letter queue has no dead-letter queue of its own.
    for source in template.sources.iter().filter(|source| !source.queue.ends_with("-dlq")) {
        let queue = template.queues.iter().find(|queue| queue.name == source.queue).unwrap();
        assert!(queue.attributes.contains_key("RedrivePolicy"), "{}", queue.name);
    }
}

#[test]
fn each_sweep_invokes_scheduled_retry_at_its_own_rate() {
    let template = deployed();
    for (kind, rate) in [("slots", "rate(1 minute)"), ("jobs", "rate(1 minute)"), ("counts", "rate(15 minutes)")] {
        let name = format!("reprise-sweep-{kind}");
        let sweep = template.schedules.iter().find(|schedule| schedule.name == name).unwrap();
        assert_eq!(sweep.definition["ScheduleExpression"], rate);
        assert_eq!(sweep.definition["GroupName"], "reprise");
        let target = "arn:aws:lambda:eu-west-1:000000000000:function:reprise-scheduled-retry";
        assert_eq!(sweep.definition["Target"]["Arn"], target);
        assert_eq!(sweep.definition["Target"]["Input"], format!(r#"{{"sweep":"{kind}"}}"#));
    }
}

/// The scope that a route requires. A route of a new kind must be added here.
fn scope_of(route: &Route) -> Option<&'static str> {
    match (route.method.as_str(), route.path.as_str()) {
        ("GET", "/console" | "/console/{path+}") => None,
        ("GET", "/interchanges/{id}/payloads/{side}") => Some("reprise/payload"),
        ("GET", _) => Some("reprise/read"),
        ("POST", "/interchanges/{id}/erase" | "/flows/{flow}/erase") => Some("reprise/erase"),
        ("POST", _) => Some("reprise/operate"),
        ("PUT", "/flows/{flow}") => Some("reprise/configure"),
        _ => panic!("{} has no scope in this test", route.key()),
    }
}

#[test]
fn with_an_issuer_every_route_requires_a_scope_and_only_the_console_page_is_open() {
    let parameters = [("JwtIssuer", "https://issuer.example"), ("JwtAudience", "reprise,reprise-cli")];
    let template = deployed_with(&parameters);
    let authorizer = Authorizer {
        issuer: "https://issuer.example".into(),
        audience: ["reprise", "reprise-cli"].map(str::to_owned).to_vec(),
    };
    assert!(!template.routes.is_empty());
    for route in &template.routes {
        let expected = match scope_of(route) {
            None => Authorization::None,
            Some(scope) => Authorization::Jwt { authorizer: authorizer.clone(), scopes: vec![scope.to_owned()] },
        };
        assert_eq!(route.authorization, expected, "{}", route.key());
    }
}

#[test]
fn with_default_parameters_every_route_requires_an_iam_signature() {
    for route in deployed().routes {
        assert_eq!(route.authorization, Authorization::Iam, "{}", route.key());
    }
}
