variable "name" { type = string }
variable "bucket" { type = string }
resource "aws_iam_role" "this" {
  name = var.name
  path = "/agents/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "this" {
  name = "read"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${var.bucket}/*" }]
  })
}
resource "aws_iam_instance_profile" "this" {
  name = var.name
  role = aws_iam_role.this.name
}
output "name" { value = aws_iam_role.this.name }
output "profile" { value = aws_iam_instance_profile.this.name }
