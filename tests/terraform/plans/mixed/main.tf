resource "aws_s3_bucket" "data" { bucket = "customer-data" }
resource "aws_iam_role" "agent" {
  name               = "agent"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_user.bot.arn } }] })
}
resource "aws_iam_role" "old" {
  name               = "newer"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_policy" "p" {
  name   = "p"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:ListBucket", "s3:GetObject"], Resource = ["arn:aws:s3:::customer-data", "arn:aws:s3:::customer-data/*"] }] })
}
resource "aws_iam_role_policy_attachment" "p" {
  role       = aws_iam_role.agent.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role_policy_attachment" "p2" {
  role       = aws_iam_role.old.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_user" "bot" { name = "bot" }
resource "aws_iam_access_key" "bot" { user = aws_iam_user.bot.name }
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_sqs_queue_policy" "q" {
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Principal = { AWS = aws_iam_user.bot.arn }, Resource = aws_sqs_queue.q.arn }] })
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.agent.arn
  package_type  = "Image"
  image_uri     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"
}
resource "aws_lambda_permission" "f" {
  statement_id  = "bot"
  function_name = aws_lambda_function.f.function_name
  action        = "lambda:InvokeFunction"
  principal     = aws_iam_user.bot.arn
}
