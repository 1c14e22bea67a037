//! Tests of the template reader with short templates. The HTTP API and the deployed template have files of their own.

mod deployed;
mod http_api;

use std::error::Error;
use std::time::Duration;

use serde_json::json;

use super::*;

fn context() -> StackContext {
    StackContext {
        stack: "reprise".into(),
        region: "eu-west-1".into(),
        account: "000000000000".into(),
        endpoint: "http://127.0.0.1:4566".into(),
    }
}

fn parse(text: &str) -> Template {
    parse_with(text, &[])
}

fn parse_with(text: &str, parameters: &[(&str, &str)]) -> Template {
    Template::parse(text, &context(), &to_map(parameters)).unwrap()
}

fn to_map(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn error_of(text: &str) -> String {
    error_with(text, &[])
}

fn error_with(text: &str, parameters: &[(&str, &str)]) -> String {
    let error = Template::parse(text, &context(), &to_map(parameters)).unwrap_err();
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
    Environment: { Variables: { SHARED: global, ONLY_GLOBAL: yes-it-is } }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../crates/worker
      Environment:
        Variables: { SHARED: own, QUEUE: !Ref Work, ARN: !GetAtt Work.Arn, TWO: !Sub '${AWS::StackName}-${Work.QueueName}' }
      Events:
        Work:
          Type: SQS
          Properties: { Queue: !GetAtt Work.Arn, BatchSize: 5 }
        Tick: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 minute), Input: '{}' } }
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 42
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 }
  Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
";

#[test]
fn a_function_has_the_global_properties_its_own_variables_and_its_events() {
    let template = parse(FUNCTION);
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
            ("SHARED", "own"),
            ("TWO", "reprise-reprise-Work"),
        ]
    );
    let source = &template.sources[0];
    assert_eq!((source.queue.as_str(), source.batch_size, source.maximum_concurrency), ("reprise-Work", 5, None));
    assert_eq!(source.partial_failures, PartialFailures::None);
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
fn a_dead_letter_queue_comes_before_the_queue_that_refers_to_it() {
    let template = parse(FUNCTION);
    let names: Vec<_> = template.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["dead", "reprise-Work"]);
    assert_eq!(template.queues[1].visibility_timeout(), Duration::from_secs(42));
    assert_eq!(
        template.queues[1].attributes["RedrivePolicy"],
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":3}"#
    );
}

#[test]
fn conditions_select_values_and_resources() {
    let template = parse(
        "
Parameters: { Stage: { Type: String, Default: test }, Names: { Type: CommaDelimitedList, Default: '' } }
Conditions:
  IsProduction: !Equals [!Ref Stage, production]
  IsNot: !Not [!Condition IsProduction]
  HasNames: !Not [!Equals [!Join ['', !Ref Names], '']]
Resources:
  Only: { Type: AWS::SQS::Queue, Condition: IsProduction }
  Named: { Type: AWS::SQS::Queue, Condition: HasNames }
  Included:
    Type: AWS::SQS::Queue
    Condition: IsNot
    Properties: { DelaySeconds: !If [IsProduction, 5, !Ref AWS::NoValue], VisibilityTimeout: !If [IsNot, 9, 1] }
",
    );
    assert_eq!(template.queues.len(), 1);
    assert_eq!(template.queues[0].name, "reprise-Included");
    assert_eq!(template.queues[0].attributes.iter().collect::<Vec<_>>(), [(&"VisibilityTimeout".into(), &"9".into())]);
}

#[test]
fn a_parameter_has_the_given_value_or_its_default() {
    let text = "
Parameters: { Delay: { Type: Number, Default: 5 }, Names: { Type: CommaDelimitedList, Default: '' } }
Resources:
  Work: { Type: AWS::SQS::Queue, Properties: { QueueName: !Join ['-', !Ref Names], DelaySeconds: !Ref Delay } }
";
    let queue = |parameters: &[(&str, &str)]| {
        let queue = parse_with(text, parameters).queues.remove(0);
        (queue.name, queue.attributes["DelaySeconds"].clone())
    };
    assert_eq!(queue(&[]), (String::new(), "5".into()));
    assert_eq!(queue(&[("Delay", "7"), ("Names", "a, b")]), ("a-b".into(), "7".into()));
    let reason = "`Colour`: the template does not have the parameter of this name";
    assert_eq!(error_with(text, &[("Colour", "blue")]), reason);
}

#[test]
fn the_error_of_an_unsupported_part_names_its_resource() {
    let queue =
        |properties: &str| format!("Resources:\n  Work: {{ Type: AWS::SQS::Queue, Properties: {{ {properties} }} }}");
    assert_eq!(error_of(&queue("Colour: blue")), "resource Work: property Colour: not supported here");
    let unknown = error_of(&queue("QueueName: !Cidr [a]"));
    assert!(unknown.starts_with("resource Work: ") && unknown.ends_with("Fn::Cidr is not supported here"), "{unknown}");
    let nowhere = error_of(&queue("QueueName: !Ref Nowhere"));
    assert_eq!(nowhere, "resource Work: `Nowhere`: no resource or parameter of this name");
    assert_eq!(error_of("Hooks: {}"), "property Hooks: this section of a template is not supported here");
    let bucket = error_of("Resources: { Files: { Type: AWS::S3::Bucket } }");
    assert_eq!(bucket, "resource Files: resource type AWS::S3::Bucket is not supported here");
}

#[test]
fn an_event_source_without_its_queue_is_an_error() {
    let text = "
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Events: { Work: { Type: SQS, Properties: { Queue: 'arn:aws:sqs:eu-west-1:000000000000:elsewhere' } } }
";
    assert_eq!(error_of(text), "resource reprise-Worker: property Queue: no queue elsewhere in the template");
}
