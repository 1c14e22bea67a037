//! The template reader, against snippets; what is about the HTTP API and the template that is deployed stands apart.

mod deployed;
mod http_api;

use std::error::Error;
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
    read_with(text, &[])
}

fn read_with(text: &str, parameters: &[(&str, &str)]) -> Template {
    Template::read(text, &place(), &given(parameters)).unwrap()
}

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn refusal(text: &str) -> String {
    refusal_with(text, &[])
}

fn refusal_with(text: &str, parameters: &[(&str, &str)]) -> String {
    let error = Template::read(text, &place(), &given(parameters)).unwrap_err();
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
fn a_parameter_has_the_value_that_is_given_or_else_its_default() {
    let text = "
Parameters: { Delay: { Type: Number, Default: 5 }, Names: { Type: CommaDelimitedList, Default: '' } }
Resources:
  Work: { Type: AWS::SQS::Queue, Properties: { QueueName: !Join ['-', !Ref Names], DelaySeconds: !Ref Delay } }
";
    let queue = |parameters: &[(&str, &str)]| {
        let queue = read_with(text, parameters).queues.remove(0);
        (queue.name, queue.attributes["DelaySeconds"].clone())
    };
    assert_eq!(queue(&[]), (String::new(), "5".into()));
    assert_eq!(queue(&[("Delay", "7"), ("Names", "a, b")]), ("a-b".into(), "7".into()));
    let reason = "`Colour`: a value is given for this parameter, and the template has none of this name";
    assert_eq!(refusal_with(text, &[("Colour", "blue")]), reason);
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
    assert_eq!(refusal("Hooks: {}"), "property Hooks: no part of a template that is understood here");
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
