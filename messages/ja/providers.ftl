# ほかのサービスでのサインイン。$provider はほかのサービス、$email はアドレス、$date は日付。

sign-in-with = { $provider } でサインイン

trouble-not-signed-in = サインインしていません
    .message = { $provider } でサインインせずに戻ってきました。何も行われていません。もう一度試すか、別の方法でサインインしてください。
trouble-too-late = 時間がかかりすぎました
    .message = { $provider } で10分以上が過ぎたため、安全のために中止しました。もう一度お試しください。
trouble-not-back = このブラウザーでもう一度お試しください
    .message = { $provider } から戻ってきた要求はここで始められたものではないか、ブラウザーが Cookie を保存していません。何も行われていません。
trouble-unreachable = ほかのサービスに接続できません
    .message = { $provider } から今は応答がありません。しばらくしてから試すか、別の方法でサインインしてください。
trouble-not-believed = うまくいきませんでした
    .message = { $provider } から受け取った情報を使えませんでした。何も行われていません。もう一度試すか、別の方法でサインインしてください。
trouble-too-many = 試行が多すぎます
    .message = お使いのネットワークから、{ $provider } 経由も含めて、サインインの試行が多すぎます。1分待ってからもう一度お試しください。
trouble-disabled = このアカウントは使えません
    .message = { $provider } のあなたに対応するアカウントは、ここでは閉じられています。
trouble-unverified = 確認済みのメールアドレスが必要です
    .message = { $provider } は、メールアドレスがあなたのものだと確認していません。そちらで確認してからもう一度試すか、別の方法でサインインしてください。
trouble-other-address = 別のメールアドレスです
    .message = { $provider } でのアドレスは、このアカウントのアドレスと違います。同じアドレスのものだけをリンクできます。
trouble-no-sign-up = まだアカウントがありません
    .message = { $provider } でサインインしてアカウントを作ることはできません。招待されている場合は、先に招待のリンクを開いてください。
trouble-sign-in-first = すでにアカウントがあります
    .message = { $provider } から受け取ったアドレスのアカウントがあります。いつもの方法でサインインしてください。そのあと、両方をリンクするかどうかを一度だけお尋ねします。
trouble-not-linked = リンクできませんでした
    .message = { $provider } では別のアカウントとリンクされているか、このアカウントがその間に変更されました。

identities-title = ほかのサインイン方法
identities-lead = これらのサービスでここにサインインできます。
identities-none = まだありません。
identities-since = { $date } にリンク
identities-used = 最後の使用は { $date }
identities-unlink = リンクを解除
identities-unlinked = これではもうここにサインインできません。
identities-last-way = これはあなたのアカウントにサインインする唯一の方法です。先にパスワードを設定してください。
identities-link-heading = ほかのサービスをリンク
identities-link-lead = このアカウントのアドレス { $email } で登録されている必要があります。
identities-link = { $provider } をリンク
identities-confirm = 両方をリンクしますか
identities-confirm-lead = 今後、{ $provider } のあなたのアカウントにサインインした人は、ここでは { $email } としてサインインします。
identities-confirm-do = リンクする
identities-confirm-leave = リンクしない
identities-confirm-not-you = 今そこから来たのでなければ、リンクしないでください。

event-identity-linked = ほかのサインイン方法をリンクしました
event-identity-unlinked = サインイン方法のリンクを解除しました
