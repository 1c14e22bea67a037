//! Queue URLs and ARNs, checked for their shape only: whether they exist shows when they are used.

pub(super) const QUEUE_URL: &str = "an http or https URL that ends in a queue's name";
pub(super) const QUEUE_ARN: &str = "a queue's ARN, like `arn:aws:sqs:eu-west-1:000000000000:orders-dlq`";
pub(super) const FUNCTION_ARN: &str = "a function's ARN, like `arn:aws:lambda:eu-west-1:000000000000:function:orders`";

pub(super) const SENDER: &str = "the unique id of a role or user (`AROA…`, `AIDA…`; `aws iam get-role` tells it as `RoleId`), a \
                                 role's with `:` and a session's name where one is meant, or a queue's ARN";

/// SQS itself takes far shorter ones.
const LONGEST: usize = 1_024;

pub(super) fn queue_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (rest, name) = rest.rsplit_once('/')?;
    let host = rest.split('/').next().filter(|host| !host.is_empty())?;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&b));
    (url.len() <= LONGEST && plain(host) && plain(rest) && queue_name(name)).then(|| url.to_owned())
}

pub(super) fn queue_arn(arn: &str) -> Option<String> {
    let [_, _, _, _, _, name] = parts(arn, "sqs")?;
    queue_name(name).then(|| arn.to_owned())
}

/// A function's ARN without version or alias, as failure records are matched by.
pub(super) fn function_arn(arn: &str) -> Option<String> {
    let [arn_word, partition, service, region, account, resource] = parts(arn, "lambda")?;
    let resource: Vec<&str> = resource.split(':').collect();
    let name = match resource[..] {
        ["function", name] | ["function", name, _] => name,
        _ => return None,
    };
    let fits = (1..=140).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    fits.then(|| [arn_word, partition, service, region, account, "function", name].join(":"))
}

/// Who may report to a flow, as SQS names senders: it tells the id of a role and never its ARN, which could be that of another
/// role tomorrow.
pub(super) fn sender(text: &str) -> Option<String> {
    let (id, session) = text.split_once(':').map_or((text, None), |(id, session)| (id, Some(session)));
    let kind = id.get(..4).filter(|_| (16..=128).contains(&id.len()));
    let is_id = kind.is_some_and(|kind| kind == "AROA" || (kind == "AIDA" && session.is_none()))
        && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_session = |name: &str| {
        (2..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
    };
    let is_identity = is_id && session.is_none_or(is_session);
    if is_identity { Some(text.to_owned()) } else { queue_arn(text) }
}

fn queue_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    name.len() <= 80 && !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn parts<'a>(arn: &'a str, service: &str) -> Option<[&'a str; 6]> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let parts: [&str; 6] = parts.try_into().ok()?;
    let [arn, partition, of, region, account, _] = parts;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    (arn == "arn" && partition.starts_with("aws") && word(partition) && of == service && word(region) && account)
        .then_some(parts)
}
