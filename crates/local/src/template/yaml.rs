//! Parses the template's YAML into JSON.
//!
//! CloudFormation has two forms of an intrinsic function, `!Ref x` and `{ Ref: x }`. The result has the second form only.

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Number, Value};

use super::error::TemplateError;

/// Parses `text`, which must have one document, and replaces the short forms of intrinsic functions.
///
/// # Errors
/// `Syntax` if `text` is not YAML or has a value without a JSON form.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents = YamlOwned::load_from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => to_json(document),
        others => Err(TemplateError::Syntax(format!("{} documents instead of one", others.len()))),
    }
}

fn to_json(node: &YamlOwned) -> Result<Value, TemplateError> {
    match node {
        YamlOwned::Value(scalar) => scalar_to_json(scalar),
        YamlOwned::Sequence(items) => items.iter().map(to_json).collect::<Result<_, _>>().map(Value::Array),
        YamlOwned::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                object.insert(key_of(key)?, to_json(value)?);
            }
            Ok(Value::Object(object))
        }
        YamlOwned::Tagged(tag, inner) if tag.handle == "!" => Ok(intrinsic(&tag.suffix, to_json(inner)?)),
        YamlOwned::Tagged(tag, _) => Err(TemplateError::Syntax(format!("unknown tag {}{}", tag.handle, tag.suffix))),
        YamlOwned::Representation(text, ..) => Ok(Value::String(text.clone())),
        YamlOwned::Alias(_) | YamlOwned::BadValue => Err(TemplateError::Syntax("an alias or an invalid value".into())),
    }
}

fn scalar_to_json(scalar: &ScalarOwned) -> Result<Value, TemplateError> {
    Ok(match scalar {
        ScalarOwned::Null => Value::Null,
        ScalarOwned::Boolean(value) => Value::Bool(*value),
        ScalarOwned::Integer(value) => Value::from(*value),
        ScalarOwned::FloatingPoint(value) => Number::from_f64(value.0)
            .map(Value::Number)
            .ok_or_else(|| TemplateError::Syntax(format!("{value} is not a number in JSON")))?,
        ScalarOwned::String(text) => Value::String(text.clone()),
    })
}

fn key_of(key: &YamlOwned) -> Result<String, TemplateError> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        scalar @ (Value::Number(_) | Value::Bool(_)) => Ok(scalar.to_string()),
        _ => Err(TemplateError::Syntax("a key is not a scalar".into())),
    }
}

fn intrinsic(name: &str, argument: Value) -> Value {
    let (name, argument) = match name {
        "Ref" | "Condition" => (name.to_owned(), argument),
        "GetAtt" => ("Fn::GetAtt".to_owned(), split_attribute(argument)),
        other => (format!("Fn::{other}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

/// `!GetAtt Table.Arn` is short for `["Table", "Arn"]`.
fn split_attribute(argument: Value) -> Value {
    match argument.as_str().and_then(|text| text.split_once('.')) {
        Some((resource, attribute)) => Value::from(vec![resource, attribute]),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_and_long_forms_of_intrinsic_functions_give_the_same_result() {
        let read =
            parse("a: !Ref Table\nb: !GetAtt Table.Arn\nc: !Sub '${Table}-x'\nd: !If [Big, 1, 2]\ne: {Ref: Table}\n");
        assert_eq!(
            read.unwrap(),
            json!({
                "a": { "Ref": "Table" },
                "b": { "Fn::GetAtt": ["Table", "Arn"] },
                "c": { "Fn::Sub": "${Table}-x" },
                "d": { "Fn::If": ["Big", 1, 2] },
                "e": { "Ref": "Table" },
            })
        );
    }

    #[test]
    fn a_date_stays_text_and_booleans_stay_booleans() {
        let read = parse("AWSTemplateFormatVersion: 2010-09-09\nFifoQueue: true\nNothing: ~\n");
        assert_eq!(
            read.unwrap(),
            json!({ "AWSTemplateFormatVersion": "2010-09-09", "FifoQueue": true, "Nothing": null })
        );
    }

    #[test]
    fn text_that_is_not_yaml_is_refused() {
        assert!(matches!(parse("a: [1"), Err(TemplateError::Syntax(_))));
    }
}
