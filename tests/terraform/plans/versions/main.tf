provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "hush-canary-value"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
variable "bucket" { default = "customer-data" }
resource "aws_s3_bucket" "data" { bucket = var.bucket }
resource "aws_iam_user" "bot" { name = "bot" }
resource "aws_iam_access_key" "bot" { user = aws_iam_user.bot.name }
resource "aws_iam_role" "agent" {
  name               = "agent"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.bot.arn]
    }
  }
}
resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.agent.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::customer-data/*"] }] })
}
resource "aws_iam_policy" "many" {
  count  = 2
  name   = "many-${count.index}"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sns:Publish", Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "many" {
  count      = 2
  role       = aws_iam_role.agent.name
  policy_arn = aws_iam_policy.many[count.index].arn
}
resource "aws_secretsmanager_secret" "db" { name = "db" }
resource "aws_secretsmanager_secret_version" "db" {
  secret_id     = aws_secretsmanager_secret.db.id
  secret_string = "hush-canary-value"
}
