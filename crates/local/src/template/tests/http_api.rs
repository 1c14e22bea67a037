//! Tests of the HTTP API, which is read from several resources.

use super::*;

/// An API with one function. Each resource comes after the resources that refer to it, which is the hardest order to read.
fn api(route: &str, permission: &str) -> String {
    format!(
        "
Parameters: {{ Issuer: {{ Type: String, Default: '' }} }}
Conditions: {{ HasIssuer: !Not [!Equals [!Ref Issuer, '']] }}
Resources:
  Item: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref Api, Target: !Sub 'integrations/${{ToWorker}}', {route} }} }}
  ToWorker:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {{ ApiId: !Ref Api, IntegrationType: AWS_PROXY, PayloadFormatVersion: '2.0', IntegrationUri: !GetAtt Worker.Arn }}
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties: {{ Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com, {permission} }}
  Tokens:
    Type: AWS::ApiGatewayV2::Authorizer
    Condition: HasIssuer
    Properties:
      ApiId: !Ref Api
      AuthorizerType: JWT
      Name: tokens
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: {{ Issuer: !Ref Issuer, Audience: [here] }}
  Stage: {{ Type: AWS::ApiGatewayV2::Stage, Properties: {{ ApiId: !Ref Api, StageName: $default, AutoDeploy: true }} }}
  Worker: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: worker }} }}
  Api: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ ProtocolType: HTTP }} }}
"
    )
}

const KEY: &str = "RouteKey: 'get /items/{id}'";
const ALLOWED: &str = "FunctionName: !Ref Worker";
const TOKEN: &str = "AuthorizationType: JWT, AuthorizerId: !Ref Tokens, AuthorizationScopes: [read, write]";
const ISSUER: (&str, &str) = ("Issuer", "https://issuer.example");

fn authorization(rule: &str) -> Authorization {
    parse_with(&api(&format!("{KEY}, {rule}"), ALLOWED), &[ISSUER]).routes.remove(0).authorization
}

#[test]
fn a_route_gets_the_function_of_its_integration() {
    let route = Route {
        method: "GET".into(),
        path: "/items/{id}".into(),
        function: "reprise-Worker".into(),
        authorization: Authorization::None,
    };
    assert_eq!(parse(&api(KEY, ALLOWED)).routes, [route]);
}

#[test]
fn a_route_is_open_or_requires_a_signature_or_a_token() {
    let authorizer = Authorizer { issuer: "https://issuer.example".into(), audience: vec!["here".into()] };
    let scopes = vec!["read".to_owned(), "write".to_owned()];
    assert_eq!(authorization("AuthorizationType: NONE"), Authorization::None);
    assert_eq!(authorization("AuthorizationType: AWS_IAM"), Authorization::Iam);
    assert_eq!(authorization(TOKEN), Authorization::Jwt { authorizer: authorizer.clone(), scopes });
    let any = authorization("AuthorizationType: JWT, AuthorizerId: !Ref Tokens");
    assert_eq!(any, Authorization::Jwt { authorizer, scopes: Vec::new() });
}

#[test]
fn conditions_switch_between_signatures_and_tokens() {
    let rule = "
      AuthorizationType: !If [HasIssuer, JWT, AWS_IAM], AuthorizerId: !If [HasIssuer, !Ref Tokens, !Ref AWS::NoValue],
      AuthorizationScopes: !If [HasIssuer, [read], !Ref AWS::NoValue]";
    let text = api(&format!("{KEY}, {rule}"), ALLOWED);
    assert_eq!(parse(&text).routes[0].authorization, Authorization::Iam);
    let Authorization::Jwt { scopes, .. } = &parse_with(&text, &[ISSUER]).routes[0].authorization else {
        panic!("the route requires no token");
    };
    assert_eq!(scopes, &["read"]);
}

#[test]
fn the_error_of_a_missing_permission_names_the_route() {
    let from = |source: &str| {
        format!("{ALLOWED}, SourceArn: !Sub 'arn:aws:execute-api:eu-west-1:${{AWS::AccountId}}:{source}'")
    };
    for source in ["${Api}/*", "${Api}/*/*/*", "${Api}/*/GET/*", "${Api}/$default/GET/items/{id}", "${Api}/*/*/items/*"]
    {
        parse(&api(KEY, &from(source)));
    }
    let refused =
        "resource Item: property Target: API Gateway has no permission to invoke reprise-Worker for GET /items/{id}";
    for source in ["${Api}/*/POST/*", "${Api}/*/*/item/*", "elsewhere/*", "${Api}/prod/*"] {
        assert_eq!(error_of(&api(KEY, &from(source))), refused, "{source}");
    }
    assert_eq!(error_of(&api(KEY, "FunctionName: somebody-else")), refused);
}

#[test]
fn the_error_of_a_missing_or_unsupported_property_names_it() {
    let route = |properties: &str| error_of(&api(properties, ALLOWED));
    let without = |id: &str| error_of(&api(KEY, ALLOWED).replace(&format!("  {id}:"), &format!("  Not{id}:")));
    let api_part = |from: &str, to: &str| error_of(&api(KEY, ALLOWED).replace(from, to));
    for (refused, part) in [
        (route("RouteKey: $default"), "resource Item: property RouteKey: must be a method and a path"),
        (
            route("RouteKey: 'GET /{rest+}/x'"),
            "resource Item: property RouteKey: a greedy parameter must be the last segment",
        ),
        (
            route(&format!("{KEY}, AuthorizationType: CUSTOM")),
            "resource Item: property AuthorizationType: CUSTOM is not",
        ),
        (
            route(&format!("{KEY}, AuthorizationScopes: [a]")),
            "resource Item: property AuthorizationScopes: allowed only",
        ),
        (route(&format!("{KEY}, {TOKEN}")), "resource Item: property AuthorizerId: no authorizer reprise-Tokens"),
        (route(&format!("{KEY}, ApiKeyRequired: true")), "resource Item: property ApiKeyRequired: not supported here"),
        (without("ToWorker"), "resource Item: `ToWorker`: no resource or parameter of this name"),
        (api_part("AWS_PROXY", "HTTP_PROXY"), "resource ToWorker: property IntegrationType: HTTP_PROXY is not"),
        (
            api_part("'2.0'", "'1.0'"),
            "resource ToWorker: property PayloadFormatVersion: 1.0 is not supported here, only 2.0",
        ),
        (api_part("$default,", "prod,"), "resource Stage: property StageName: prod is not supported here"),
        (api_part("AutoDeploy: true", "AutoDeploy: false"), "resource Stage: property AutoDeploy: false is not"),
        (
            api_part("ProtocolType: HTTP", "ProtocolType: WEBSOCKET"),
            "resource Api: property ProtocolType: WEBSOCKET is",
        ),
        (api_part("lambda:InvokeFunction", "lambda:*"), "resource MayInvoke: property Action: lambda:* is not"),
    ] {
        assert!(refused.starts_with(part), "{refused}");
    }
}

#[test]
fn an_api_without_a_stage_and_a_second_api_are_errors() {
    let staged = api(KEY, ALLOWED);
    let lines = staged.lines().filter(|line| !line.contains("AWS::ApiGatewayV2::Stage"));
    let stageless = lines.collect::<Vec<_>>().join("\n");
    let reason = "resource Item: property ApiId: the API has no stage, so the route is not reachable";
    assert_eq!(error_of(&stageless), reason);
    let second = format!("{staged}  Api2: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ ProtocolType: HTTP }} }}\n");
    assert!(error_of(&second).starts_with("resource Api2: property ProtocolType: only one HTTP API is supported here"));
}

#[test]
fn an_authorizer_without_an_audience_is_an_error() {
    for wrong in ["Audience: []", "Audience: ['']", "Audience: [a, '']"] {
        let refused = error_with(&api(KEY, ALLOWED).replace("Audience: [here]", wrong), &[ISSUER]);
        assert!(refused.starts_with("resource Tokens: property JwtConfiguration: Audience is required"), "{refused}");
    }
}
