//! The template reader, against snippets and against the template that is deployed.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::*;

fn place() -> Place {
    Place {
        stack: "reprise".into(),
        region: "eu-west-1".into(),
        account: "000000000000".into(),
        endpoint: "http://127.0.0.1:4566".into(),
    }
}

fn read(text: &str) -> Template {
    Template::read(text, &place()).unwrap()
}

fn refusal(text: &str) -> String {
    let error = Template::read(text, &place()).unwrap_err();
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    chain
}

const FUNCTION: &str = "
Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { SHARED: below, ONLY_GLOBAL: yes-it-is } }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../crates/worker
      Environment:
        Variables: { SHARED: above, QUEUE: !Ref Work, ARN: !GetAtt Work.Arn, TWO: !Sub '${AWS::StackName}-${Work.QueueName}' }
      Events:
        Work:
          Type: SQS
          Properties: { Queue: !GetAtt Work.Arn, BatchSize: 5 }
        Item: { Type: HttpApi, Properties: { Method: get, Path: '/items/{id}' } }
        Tick: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 minute), Input: '{}' } }
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 42
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 }
  Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
";

#[test]
fn a_function_has_its_globals_its_variables_and_its_events() {
    let template = read(FUNCTION);
    let function = &template.functions[0];
    assert_eq!(function.name, "reprise-Worker");
    assert_eq!(function.arn, "arn:aws:lambda:eu-west-1:000000000000:function:reprise-Worker");
    assert_eq!((function.binary.as_str(), function.memory, function.timeout), ("worker", 128, Duration::from_secs(7)));
    let variables: Vec<_> = function.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        variables,
        [
            ("ARN", "arn:aws:sqs:eu-west-1:000000000000:reprise-Work"),
            ("ONLY_GLOBAL", "yes-it-is"),
            ("QUEUE", "http://127.0.0.1:4566/000000000000/reprise-Work"),
            ("SHARED", "above"),
            ("TWO", "reprise-reprise-Work"),
        ]
    );
    let source = &template.sources[0];
    assert_eq!((source.queue.as_str(), source.batch_size, source.maximum_concurrency), ("reprise-Work", 5, None));
    assert_eq!(source.partial_failures, PartialFailures::None);
    let route = Route { method: "GET".into(), path: "/items/{id}".into(), function: "reprise-Worker".into() };
    assert_eq!(template.routes, [route]);
    assert_eq!(
        template.schedules[0].definition,
        json!({
            "ScheduleExpression": "rate(1 minute)",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": { "Arn": "arn:aws:lambda:eu-west-1:000000000000:function:reprise-Worker", "Input": "{}" },
        })
    );
}

#[test]
fn a_dead_letter_queue_is_made_before_the_queue_that_names_it() {
    let template = read(FUNCTION);
    let names: Vec<_> = template.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["dead", "reprise-Work"]);
    assert_eq!(template.queues[1].visibility(), Duration::from_secs(42));
    assert_eq!(
        template.queues[1].attributes["RedrivePolicy"],
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":3}"#
    );
}

#[test]
fn conditions_choose_values_and_resources() {
    let template = read(
        "
Parameters: { Stage: { Type: String, Default: test }, Names: { Type: CommaDelimitedList, Default: '' } }
Conditions:
  IsProduction: !Equals [!Ref Stage, production]
  IsNot: !Not [!Condition IsProduction]
  HasNames: !Not [!Equals [!Join ['', !Ref Names], '']]
Resources:
  Only: { Type: AWS::SQS::Queue, Condition: IsProduction }
  Named: { Type: AWS::SQS::Queue, Condition: HasNames }
  Kept:
    Type: AWS::SQS::Queue
    Condition: IsNot
    Properties: { DelaySeconds: !If [IsProduction, 5, !Ref AWS::NoValue], VisibilityTimeout: !If [IsNot, 9, 1] }
",
    );
    assert_eq!(template.queues.len(), 1);
    assert_eq!(template.queues[0].name, "reprise-Kept");
    assert_eq!(template.queues[0].attributes.iter().collect::<Vec<_>>(), [(&"VisibilityTimeout".into(), &"9".into())]);
}

#[test]
fn what_is_not_understood_is_refused_by_the_name_of_its_resource() {
    let queue =
        |properties: &str| format!("Resources:\n  Work: {{ Type: AWS::SQS::Queue, Properties: {{ {properties} }} }}");
    assert_eq!(refusal(&queue("Colour: blue")), "resource Work: property Colour: not understood here");
    let unknown = refusal(&queue("QueueName: !Cidr [a]"));
    assert!(
        unknown.starts_with("resource Work: ") && unknown.ends_with("Fn::Cidr is not understood here"),
        "{unknown}"
    );
    let nowhere = refusal(&queue("QueueName: !Ref Nowhere"));
    assert_eq!(nowhere, "resource Work: `Nowhere`: no resource or parameter of this name");
    let bucket = refusal("Resources: { Files: { Type: AWS::S3::Bucket } }");
    assert_eq!(bucket, "resource Files: resource type AWS::S3::Bucket is not understood here");
}

#[test]
fn a_source_without_its_queue_is_refused() {
    let text = "
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Events: { Work: { Type: SQS, Properties: { Queue: 'arn:aws:sqs:eu-west-1:000000000000:elsewhere' } } }
";
    assert_eq!(refusal(text), "resource reprise-Worker: property Queue: no queue elsewhere in the template");
}

fn deployed() -> Template {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    read(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_deployed_template_is_understood_whole() {
    let template = deployed();
    assert_eq!(template.tables.len(), 1);
    assert_eq!(template.tables[0].name, "reprise");
    assert_eq!(template.tables[0].time_to_live.as_deref(), Some("ttl"));
    assert_eq!(template.groups, [ScheduleGroup { name: "reprise".into() }]);
    assert_eq!(template.caller, Caller::Iam);
    let names: Vec<_> = template.functions.iter().map(|function| function.name.as_str()).collect();
    for binary in
        ["ingest-failure", "list", "restart", "retry", "delete", "scheduled-retry", "run-job", "configure-flow"]
    {
        assert!(names.contains(&format!("reprise-{binary}").as_str()), "{binary} is missing in {names:?}");
    }
    let sources: Vec<_> =
        template.sources.iter().map(|source| (source.queue.as_str(), source.function.as_str())).collect();
    assert_eq!(sources, [("reprise-failures", "reprise-ingest-failure"), ("reprise-jobs", "reprise-run-job")]);
    assert!(template.sources.iter().all(|source| source.partial_failures == PartialFailures::Reported));
}

#[test]
fn every_queue_of_the_deployed_template_that_is_consumed_has_a_dead_letter_queue() {
    let template = deployed();
    for source in &template.sources {
        let queue = template.queues.iter().find(|queue| queue.name == source.queue).unwrap();
        assert!(queue.attributes.contains_key("RedrivePolicy"), "{}", queue.name);
    }
}

#[test]
fn the_deployed_sweep_invokes_scheduled_retry_every_quarter_of_an_hour() {
    let template = deployed();
    let sweep = template.schedules.iter().find(|schedule| schedule.name == "reprise-sweep").unwrap();
    assert_eq!(sweep.definition["ScheduleExpression"], "rate(15 minutes)");
    assert_eq!(sweep.definition["GroupName"], "reprise");
    let target = "arn:aws:lambda:eu-west-1:000000000000:function:reprise-scheduled-retry";
    assert_eq!(sweep.definition["Target"]["Arn"], target);
    assert_eq!(sweep.definition["Target"]["Input"], r#"{"sweep":true}"#);
}
