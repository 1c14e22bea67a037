//! Conditional writes of many items side by side, twenty-five a call (`BatchExecuteStatement`). Each stands for itself: a
//! call is no transaction and costs what its writes cost, once.

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementErrorCodeEnum as Code, BatchStatementRequest};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::transact::pause;
use crate::{Table, TableError};

const OPERATION: &str = "BatchExecuteStatement";

/// Most statements of one call (DynamoDB's limit).
const MOST: usize = 25;

/// Calls side by side.
const MAX_CONCURRENT: usize = 4;

/// Tries of what finds no capacity or meets a transaction.
const TRIES: u32 = 10;

/// One write, in `PartiQL`, with a value for each `?`.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) values: Vec<AttributeValue>,
}

impl Table {
    /// Runs statements that write items which differ. One whose condition fails has nothing to do and is done.
    pub(crate) async fn run(&self, statements: Vec<Statement>) -> Result<(), TableError> {
        let requests = statements.into_iter().map(|Statement { text, values }| {
            let request = BatchStatementRequest::builder().statement(text).set_parameters(Some(values)).build();
            request.map_err(|e| TableError::Call { operation: OPERATION, cause: e.to_string() })
        });
        let requests: Vec<BatchStatementRequest> = requests.collect::<Result<_, _>>()?;
        let calls = requests.chunks(MOST).map(|requests| self.run_batch(requests.to_vec()));
        stream::iter(calls).buffer_unordered(MAX_CONCURRENT).try_collect().await
    }

    async fn run_batch(&self, mut left: Vec<BatchStatementRequest>) -> Result<(), TableError> {
        for attempt in 0..TRIES {
            let call = self.client.batch_execute_statement().set_statements(Some(left.clone()));
            let answer = call.send().await.map_err(TableError::call(OPERATION))?;
            let responses = answer.responses.unwrap_or_default();
            if responses.len() != left.len() {
                let cause = format!("{} answers to {} statements", responses.len(), left.len());
                return Err(TableError::Call { operation: OPERATION, cause });
            }
            let mut again = Vec::new();
            for (request, response) in left.into_iter().zip(responses) {
                let Some(error) = response.error else { continue };
                match error.code {
                    Some(Code::ConditionalCheckFailed) => {}
                    Some(
                        Code::InternalServerError
                        | Code::ProvisionedThroughputExceeded
                        | Code::RequestLimitExceeded
                        | Code::ThrottlingError
                        | Code::TransactionConflict,
                    ) => again.push(request),
                    code => {
                        let code = code.as_ref().map_or("no code", Code::as_str);
                        let cause = format!("{code}: {}", error.message.unwrap_or_default());
                        return Err(TableError::Call { operation: OPERATION, cause });
                    }
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            left = again;
            pause(attempt).await;
        }
        Err(TableError::Contended { operation: OPERATION, tries: TRIES })
    }
}
