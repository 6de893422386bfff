# What the support agent may do.
resource "aws_iam_role_policy" "agent_exports" {
  name = "exports"
  role = "support-agent-runtime"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadEverything"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "secretsmanager:GetSecretValue"]
      Resource = "*"
    }]
  })
}
