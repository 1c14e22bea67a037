//! The function `console`: the page and its files. They are in this binary; it reads no table and holds no data.

mod files;
mod headers;
mod page;
mod site;

use site::Site;
use startup::SignIn;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    startup::start_log();
    let site = Site::new(SignIn::from_env().as_ref())?;
    startup::serve(async |request| Ok(site.answer(&request))).await
}
