//! Mail by SMTP, over TLS unless the server is said to need none. The server stands where the operator said: usually
//! inside the own network, so its address is not judged.

use super::SendError;
use super::message::Message;
use crate::config::notify::{Smtp, SmtpSecurity};
use crate::secret;
use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(20);

/// Sends one message to all recipients.
pub(super) async fn send(smtp: &Smtp, number: i64, message: &Message) -> Result<(), SendError> {
    let mail = mail(smtp, number, message)?;
    transport(smtp)?
        .send(mail)
        .await
        .map(drop)
        .map_err(|error| {
            let text = error.to_string();
            if error.is_permanent() {
                SendError::Never(text)
            } else {
                SendError::Again(text)
            }
        })
}

fn mail(smtp: &Smtp, number: i64, message: &Message) -> Result<Mail, SendError> {
    let never = |error: &dyn std::fmt::Display| SendError::Never(error.to_string());
    let mailbox = |address: &String| address.parse::<Mailbox>().map_err(|error| never(&error));
    let from = mailbox(&smtp.from)?;
    // the same for every try, so that a mail server or reader can tell a repetition
    let id = format!("<{number}.{}@{}>", message.time, from.email.domain());
    // a subject is one line, whatever a host is called
    let subject: String = message
        .title
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut mail = Mail::builder()
        .from(from)
        .subject(subject)
        .message_id(Some(id))
        .header(header::ContentType::TEXT_PLAIN);
    for address in &smtp.to {
        mail = mail.to(mailbox(address)?);
    }
    mail.body(message.text.clone())
        .map_err(|error| never(&error))
}

fn transport(smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    let never = |error: lettre::transport::smtp::Error| SendError::Never(error.to_string());
    let builder = match smtp.security {
        SmtpSecurity::Starttls => {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host).map_err(never)?
        }
        SmtpSecurity::Tls => {
            AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host).map_err(never)?
        }
        SmtpSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host),
    };
    let mut builder = builder.timeout(Some(TIME));
    if let Some(port) = smtp.port {
        builder = builder.port(port);
    }
    if !smtp.user.is_empty() {
        let password = secret::read(&smtp.password_file).map_err(SendError::Again)?;
        builder = builder.credentials(Credentials::new(
            smtp.user.clone(),
            password.reveal().to_owned(),
        ));
    }
    Ok(builder.build())
}
