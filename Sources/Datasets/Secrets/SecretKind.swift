/// What kind of secret a ``SecretFinding`` is.
public enum SecretKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A PEM block of a private key, with key material.
    case privateKey = "private key"
    case awsAccessKey = "AWS access key id"
    case awsSecretKey = "AWS secret access key"
    case gitHubToken = "GitHub token"
    case gitLabToken = "GitLab token"
    case slackToken = "Slack token"
    case slackWebhook = "Slack webhook"
    case googleKey = "Google API key or OAuth secret"
    case stripeKey = "Stripe live key"
    case openAIKey = "OpenAI key"
    case anthropicKey = "Anthropic key"
    case huggingFaceToken = "Hugging Face token"
    case npmToken = "npm token"
    case pyPIToken = "PyPI token"
    case sendGridKey = "SendGrid key"
    case digitalOceanToken = "DigitalOcean token"
    case databricksToken = "Databricks token"
    /// Three base64url parts, of which two are JSON objects.
    case jsonWebToken = "JSON Web Token"
    /// `scheme://user:password@host`.
    case urlPassword = "password in a URL"
    /// `Authorization: Bearer …`, `Basic …` or `Token …`.
    case authorization = "authorization header"
    /// Something named a password, assigned a literal.
    case password = "password"
    /// Something named a secret, token or key, assigned a literal that looks random.
    case secret = "secret"
    /// An entry of `.netrc`, `.pgpass` or a file of that form.
    case credentialsFile = "credentials file"
}
